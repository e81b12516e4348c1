// The similarity map over a picture: brighter where the picture's tokens are nearer to the sound than elsewhere in it.

// Red, green, blue, opacity: far from the sound is in the dark, near it in a warm light, so that lightness alone tells.
const STOPS = [[18, 10, 48, 0.86], [70, 22, 90, 0.62], [200, 90, 60, 0.3], [255, 214, 120, 0.34]];

function colour(value) {
  const scaled = Math.max(0, Math.min(0.9999, value)) * (STOPS.length - 1);
  const first = Math.floor(scaled), part = scaled - first;
  const mixed = STOPS[first].map((low, channel) => low + (STOPS[first + 1][channel] - low) * part);
  return [...mixed.slice(0, 3), 255 * mixed[3]].map(Math.round);
}

export function draw({ rows, columns, values, fit, width, height }) {
  const flat = values.flat(), low = Math.min(...flat), high = Math.max(...flat);
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  const pixels = new ImageData(columns, rows);
  flat.forEach((value, index) => {
    const level = high > low ? (value - low) / (high - low) : 0;
    pixels.data.set(colour(level), 4 * index);
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  const heat = document.createElement("canvas");
  heat.className = "heat";
  heat.width = width;
  heat.height = height;
  heat.setAttribute("role", "img");
  heat.setAttribute("aria-label", `cosines from ${low.toFixed(2)} to ${high.toFixed(2)}, brightest ${brightest(flat, rows, columns)}`);
  heat.title = `cosine ${low.toFixed(2)} (dark) to ${high.toFixed(2)} (light)`;
  const side = Math.min(width, height);
  const [x, y, w, h] = fit === "crop" ? [(width - side) / 2, (height - side) / 2, side, side] : [0, 0, width, height];
  const pen = heat.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, x, y, w, h);
  return heat;
}

function brightest(flat, rows, columns) {
  const best = flat.indexOf(Math.max(...flat));
  const third = (place, count) => Math.min(2, Math.floor((3 * (place + 0.5)) / count));
  const down = ["at the top", "in the middle", "at the bottom"][third(Math.floor(best / columns), rows)];
  return `${down} ${["left", "centre", "right"][third(best % columns, columns)]}`;
}
