// Names of points on charts.

// Removes the names that would lie on another name or beyond the edge: the server laid them out for a wide window.
function prune(layout, traces, width) {
  const size = { x: width - 90, y: layout.height - 120 };
  const taken = [];
  for (const trace of traces) {
    if (!trace.meta?.rows || !Array.isArray(trace.textposition)) continue;
    const pixel = (way, index) => {
      const { type, range } = layout[way + "axis"];
      const value = type === "log" ? Math.log10(trace[way][index]) : trace[way][index];
      return (size[way] * (value - range[0])) / (range[1] - range[0]);
    };
    trace.text = trace.text.map((name, index) => {
      if (!name) return "";
      const [vertical, horizontal] = trace.textposition[index].split(" ");
      const left = pixel("x", index) - { left: 1, center: 0.5, right: 0 }[horizontal] * 6.3 * name.length;
      const bottom = pixel("y", index) + (vertical === "top" ? 7 : -21);
      const box = [left, bottom, left + 6.3 * name.length, bottom + 14];
      const crossed = ([low, under, high, over]) => box[0] < high && low < box[2] && box[1] < over && under < box[3];
      if (box[0] < 0 || box[2] > size.x || taken.some(crossed)) return "";
      taken.push(box);
      return name;
    });
  }
}
