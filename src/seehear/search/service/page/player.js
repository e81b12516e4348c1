// One clip plays at a time, in its own tile: its video with its sound, or its sound alone.

let playing = null;

export const isPlaying = () => playing !== null;

export function stop() {
  if (!playing) return;
  const { tile, media } = playing;
  playing = null;
  media.pause();
  media.removeAttribute("src");
  media.load();
  media.remove();
  tile.classList.remove("on");
  tile.style.removeProperty("--p");
  tile.querySelector(".start").setAttribute("aria-pressed", "false");
}

export function toggle(tile, clip, failed) {
  if (playing && playing.tile === tile) {
    stop();
    return;
  }
  stop();
  const base = `/api/clips/${clip.key}`;
  const ways = clip.has_pictures ? [`${base}/video`, `${base}/video?made=true`] : [];
  if (clip.has_sound) ways.push(`${base}/sound`);
  start(tile, ways, failed);
}

function start(tile, ways, failed) {
  const [source, ...others] = ways;
  const media = document.createElement(source.endsWith("/sound") ? "audio" : "video");
  media.playsInline = true;
  media.src = source;
  playing = { tile, media };
  tile.classList.add("on");
  tile.querySelector(".start").setAttribute("aria-pressed", "true");
  tile.prepend(media);
  media.addEventListener("ended", () => { if (playing?.media === media) stop(); });
  media.play().then(() => show(tile, media), (error) => {
    if (playing?.media !== media || error.name === "AbortError") return;
    stop();
    if (error.name !== "NotAllowedError" && others.length) start(tile, others, failed);
    else failed(`This browser could not play the clip: ${error.message}`);
  });
}

function show(tile, media) {
  if (playing?.media !== media) return;
  tile.style.setProperty("--p", media.duration ? media.currentTime / media.duration : 0);
  requestAnimationFrame(() => show(tile, media));
}
