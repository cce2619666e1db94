/** The mark of Hopline: a message hops along a line. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 36 20" width="36" height="20" aria-hidden="true">
    <path d="M4 15.5C6 5 14 5 16 15.5M16 15.5C18 1 29 1 31 15.5" />
    <circle cx="4" cy="16" r="2.5" />
    <circle cx="16" cy="16" r="2.5" />
    <circle class="mark-here" cx="31" cy="16" r="3.2" />
  </svg>
);
