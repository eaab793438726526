/** Words of this page. */
export default { title: "Privacy" };
