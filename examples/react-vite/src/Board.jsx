import { useEffect, useRef, useState } from 'react';
import { me } from './me.js';

const STEP = 0.02;
const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
const inside = (value) => Math.min(1, Math.max(0, value));

function paint(canvas, strokes, pen) {
  const context = canvas.getContext('2d');
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  context.scale(devicePixelRatio, devicePixelRatio);
  context.lineWidth = 3;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const { color, points } of strokes) {
    context.strokeStyle = color;
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) context.lineTo(points[i] * width, points[i + 1] * height);
    context.stroke();
  }
  if (pen === null) return;
  context.strokeStyle = me.color;
  context.beginPath();
  context.arc(pen[0] * width, pen[1] * height, 6, 0, 7);
  context.stroke();
}

/** The shared drawing. Points are fractions of the board, so that it looks alike on every screen. */
export function Board({ strokes, isOpen, onStroke, onClear }) {
  const canvas = useRef(null);
  const [stroke, setStroke] = useState(null);
  const [pen, setPen] = useState(null);
  const [, redraw] = useState(0);

  useEffect(() => {
    const resized = new ResizeObserver(() => redraw((count) => count + 1));
    resized.observe(canvas.current);
    return () => resized.disconnect();
  }, []);

  useEffect(() => {
    const all = stroke === null ? strokes : [...strokes, { color: me.color, points: stroke }];
    paint(canvas.current, all, pen);
  });

  const at = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.current.getBoundingClientRect();
    return [inside((clientX - left) / width), inside((clientY - top) / height)];
  };
  const finish = () => {
    if (stroke !== null && stroke.length > 2) onStroke(stroke);
    setStroke(null);
  };

  return (
    <section className="board" aria-label="Drawing">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label="Shared drawing. Arrow keys move the pen; the space bar puts it down and lifts it."
        data-strokes={strokes.length}
        onPointerDown={(event) => {
          if (!isOpen) return;
          canvas.current.setPointerCapture(event.pointerId);
          setStroke(at(event));
        }}
        onPointerMove={(event) => stroke !== null && pen === null && setStroke([...stroke, ...at(event)])}
        onPointerUp={finish}
        onPointerCancel={finish}
        onKeyDown={(event) => {
          const move = MOVES[event.key];
          if (event.key === ' ' && isOpen) {
            if (stroke === null) setStroke(pen ?? [0.5, 0.5]);
            else finish();
          } else if (move !== undefined) {
            const [x, y] = pen ?? [0.5, 0.5];
            const to = [inside(x + move[0]), inside(y + move[1])];
            setPen(to);
            if (stroke !== null) setStroke([...stroke, ...to]);
          } else return;
          event.preventDefault();
        }}
        onBlur={() => {
          finish();
          setPen(null);
        }}
      />
      {strokes.length === 0 && stroke === null && <p className="hint">Draw something together</p>}
      <button type="button" className="clear" disabled={!isOpen || strokes.length === 0} onClick={onClear}>
        Clear
      </button>
    </section>
  );
}
