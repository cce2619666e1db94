/** In place of what is not known. @param why says so: `no management API was given` */
export const Unknown = ({ why }: { readonly why?: string | undefined }) => (
  <span class="unknown" title={why === undefined ? 'not known' : `not known: ${why}`}>
    <span aria-hidden="true">–</span>
    <span class="visually-hidden">{why === undefined ? 'not known' : `not known: ${why}`}</span>
  </span>
);
