import type { ComponentChildren } from 'preact';
import type { Tone } from './state.js';

export interface NoticeProps {
  readonly tone: Tone;
  /** What is so. */
  readonly title: string;
  /** What to do about it, or the details. */
  readonly children?: ComponentChildren;
}

/** Something that everybody who opens the page should read. */
export const Notice = ({ tone, title, children }: NoticeProps) => (
  <div class={`notice ${tone}`}>
    <p class="notice-title">{title}</p>
    {children === undefined ? null : <div class="notice-body">{children}</div>}
  </div>
);

export interface EmptyProps {
  /** Why nothing is here: `No queue is paused`. */
  readonly title: string;
  /** What to do, or what would be seen here. */
  readonly children?: ComponentChildren;
}

/** In place of a list that has nothing in it. */
export const Empty = ({ title, children }: EmptyProps) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children === undefined ? null : <div class="empty-body">{children}</div>}
  </div>
);
