/** Wörter dieser Seite. */
export default {};
