/*
 * The picture of a topology: exchanges on the left, then the patterns of their bindings, queues, and handlers on the right. Where
 * everything is, is computed on the server and the same each time; the view only draws it.
 */

export type NodeKind = 'exchange' | 'pattern' | 'queue' | 'handler';

export interface PictureNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Lines of text, cut to the width. */
  readonly lines: readonly string[];
  /** The same, uncut. */
  readonly title: string;
  /** Messages per second, if they are known. */
  readonly rate: number | undefined;
  /** Messages that wait, of a queue. */
  readonly length: number | undefined;
  /** True if the message that was asked about comes here. */
  readonly isReached: boolean;
}

export interface PictureEdge {
  readonly id: string;
  /** Path of the curve. */
  readonly path: string;
  readonly isReached: boolean;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}
