import { countText, rateText } from '../../ui/text.js';
import type { Picture, PictureNode } from './picture.js';

/** Distances of the text within a node. */
const PAD = 8;
const BASE = 16;
const LINE = 15;

/** The picture. Those who don't see it have the same in the tables below it. */
export const PictureView = ({
  picture: { width, height, nodes, edges },
  label,
}: {
  readonly picture: Picture;
  readonly label: string;
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by the keyboard as well
  <section class="scroll topology" tabIndex={0} aria-label={label}>
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <g>
        {edges.map(({ id, path, isReached }) => (
          <path key={id} class={isReached ? 'edge reached' : 'edge'} d={path} />
        ))}
      </g>
      {nodes.map((node) => (
        <Node key={node.id} node={node} />
      ))}
    </svg>
  </section>
);

const Node = ({ node }: { readonly node: PictureNode }) => {
  const { kind, x, y, width, height, lines, title, isReached } = node;
  const figures = figuresOf(node);
  return (
    <g class={isReached ? `node ${kind} reached` : `node ${kind}`}>
      <title>{title}</title>
      <rect x={x} y={y} width={width} height={height} rx={kind === 'queue' ? 4 : 12} />
      {lines.map((line, index) => (
        <text key={index} x={x + PAD} y={y + BASE + index * LINE}>
          {line}
        </text>
      ))}
      {figures === '' ? null : (
        <text class="figures" x={x + width - PAD} y={y + BASE} text-anchor="end">
          {figures}
        </text>
      )}
    </g>
  );
};

function figuresOf({ length, rate }: PictureNode): string {
  const waiting = length === undefined ? [] : [countText(length)];
  return [...waiting, ...(rate === undefined ? [] : [rateText(rate)])].join(' · ');
}
