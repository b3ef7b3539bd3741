// Checks a record against the published schema. The same small set of JSON Schema keywords as the Python side reads.

import schema from '../../../jitmagic/report/schema/v1.json';

type Rule = { [keyword: string]: any };

const ANNOTATIONS = ['$schema', '$id', '$defs', 'title', 'description'];
const KNOWN = new Set([
  ...ANNOTATIONS,
  ...['$ref', 'type', 'const', 'enum', 'minimum', 'minLength', 'required', 'properties', 'additionalProperties'],
  ...['items', 'anyOf', 'allOf', 'if', 'then']
]);

/** Lists where a value breaks the schema of the record, at most `limit` places, one sentence each. */
export function problems(value: unknown, limit = 3): string[] {
  const found: string[] = [];
  for (const problem of mismatches(value, schema, 'record')) {
    found.push(problem);
    if (found.length >= limit) {
      break;
    }
  }
  return found;
}

function* mismatches(value: unknown, rule: Rule, path: string): Generator<string> {
  const unknown = Object.keys(rule).filter(keyword => !KNOWN.has(keyword));
  if (unknown.length > 0) {
    throw new Error(`the check knows no schema keyword ${unknown.join(', ')}`);
  }
  if ('$ref' in rule) {
    const name = String(rule.$ref).replace('#/$defs/', '');
    yield* mismatches(value, (schema as Rule).$defs[name], path);
  }
  if ('type' in rule) {
    const names: string[] = Array.isArray(rule.type) ? rule.type : [rule.type];
    if (!names.some(name => isOf(value, name))) {
      // what hangs on the type would only repeat it
      yield `${path}: expected ${names.join(' or ')}, found ${shown(value)}`;
      return;
    }
  }
  if ('const' in rule && value !== rule.const) {
    yield `${path}: expected ${shown(rule.const)}, found ${shown(value)}`;
  }
  if ('enum' in rule && !rule.enum.includes(value)) {
    yield `${path}: expected one of ${rule.enum.map(shown).join(', ')}, found ${shown(value)}`;
  }
  if ('minimum' in rule && typeof value === 'number' && value < rule.minimum) {
    yield `${path}: expected at least ${rule.minimum}, found ${shown(value)}`;
  }
  if ('minLength' in rule && typeof value === 'string' && value.length < rule.minLength) {
    yield `${path}: must not be empty`;
  }
  if (isOf(value, 'object')) {
    yield* objectMismatches(value as Rule, rule, path);
  }
  if (Array.isArray(value) && 'items' in rule) {
    for (const [index, item] of value.entries()) {
      yield* mismatches(item, rule.items, `${path}[${index}]`);
    }
  }
  if ('anyOf' in rule) {
    const found = rule.anyOf.map((branch: Rule) => [...mismatches(value, branch, path)]);
    if (found.every((branch: string[]) => branch.length > 0)) {
      // the branch that describes the content stands first, `null` after it
      yield* found[0];
    }
  }
  for (const branch of rule.allOf ?? []) {
    yield* mismatches(value, branch, path);
  }
  if ('if' in rule && mismatches(value, rule.if, path).next().done) {
    yield* mismatches(value, rule.then, path);
  }
}

function* objectMismatches(value: Rule, rule: Rule, path: string): Generator<string> {
  const properties: Rule = rule.properties ?? {};
  for (const name of rule.required ?? []) {
    if (!Object.hasOwn(value, name)) {
      yield `${path}: "${name}" is missing`;
    }
  }
  for (const [name, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) {
      yield* mismatches(item, properties[name], `${path}.${name}`);
    } else if ('additionalProperties' in rule) {
      yield* mismatches(item, rule.additionalProperties, `${path}.${name}`);
    }
  }
}

function isOf(value: unknown, name: string): boolean {
  switch (name) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

function shown(value: unknown): string {
  if (Array.isArray(value)) {
    return `an array of ${value.length}`;
  }
  if (typeof value === 'object' && value !== null) {
    return 'an object';
  }
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
