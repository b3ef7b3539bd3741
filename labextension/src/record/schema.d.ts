// The published schema, read from where the Python package keeps it, so that nothing is said twice.
declare module '*/schema/v1.json' {
  const schema: { [keyword: string]: unknown };
  export default schema;
}
