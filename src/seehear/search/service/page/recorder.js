// Recording sound: the microphone's samples as a WAV file, nothing coded and nothing sent before the search is asked for.

import { Failure } from "/api.js";

const LONGEST_SECONDS = 30;

const REASONS = {
  NotAllowedError: ["The browser may not use the microphone", "allow it beside the page's address, then record again"],
  NotFoundError: ["There is no microphone", "connect one, or choose a file instead"],
  NotReadableError: ["The microphone is in use elsewhere", "close what uses it, then record again"],
};

export async function record({ tick, full }) {
  if (!window.isSecureContext || !navigator.mediaDevices) {
    throw new Failure("Browsers record only on localhost or over https", {
      cure: `open the page on the machine that serves it, or put https in front of ${location.host}; a file can be chosen here, too`,
    });
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (error) {
    const [found, cure] = REASONS[error.name] || [`Recording failed: ${error.message}`, "choose a file instead"];
    throw new Failure(found, { cure });
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule("/recorder_worklet.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const blocks = [];
  let samples = 0, ended = false;
  node.port.onmessage = ({ data }) => {
    if (ended) return;
    blocks.push(data);
    samples += data.length;
    tick(samples / context.sampleRate, Math.max(...data.map(Math.abs)));
    if (samples >= LONGEST_SECONDS * context.sampleRate) full();
  };
  context.createMediaStreamSource(stream).connect(node);
  return () => {
    ended = true;
    stream.getTracks().forEach((track) => track.stop());
    const rate = context.sampleRate;
    context.close();
    return new File([wav(blocks, samples, rate)], "recording.wav", { type: "audio/wav" });
  };
}

function wav(blocks, samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples));
  const text = (place, letters) => [...letters].forEach((letter, i) => view.setUint8(place + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples, true);
  let place = 44;
  for (const block of blocks) {
    for (const value of block) {
      view.setInt16(place, Math.round(32767 * Math.max(-1, Math.min(1, value))), true);
      place += 2;
    }
  }
  return view.buffer;
}
