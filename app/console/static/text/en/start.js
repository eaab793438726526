/** Words of this page. */
export default { title: "Start" };
