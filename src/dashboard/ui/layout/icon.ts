/** The mark as the browser's tab shows it, in the page itself: without, a browser asks the host's `/favicon.ico`, which is not the dashboard's. */
export const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><g transform="translate(0 8)">' +
    '<path d="M4 15.5C6 5 14 5 16 15.5M16 15.5C18 1 29 1 31 15.5" fill="none" stroke="#7a7a72" stroke-width="3"/>' +
    '<circle cx="4" cy="16" r="3" fill="#7a7a72"/><circle cx="16" cy="16" r="3" fill="#7a7a72"/><circle cx="31" cy="16" r="4.5" fill="#0b7a68"/></g></svg>',
)}`;
