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
  const check = new Check(limit);
  check.value(value, schema);
  return check.found;
}

/** Rules whose keywords were looked at: a long notebook asks for the same ones thousands of times. */
const SEEN = new WeakSet<Rule>();

class Check {
  readonly found: string[] = [];
  /** Names and indices from the record down to the value; words are made of them only where something is wrong. */
  private readonly _path: (string | number)[] = [];

  constructor(private readonly _limit: number) {}

  value(value: unknown, rule: Rule): void {
    if (this.found.length >= this._limit) {
      return;
    }
    known(rule);
    if ('$ref' in rule) {
      this.value(value, (schema as Rule).$defs[String(rule.$ref).slice('#/$defs/'.length)]);
    }
    if ('type' in rule) {
      const right = Array.isArray(rule.type) ? rule.type.some(name => isOf(value, name)) : isOf(value, rule.type);
      if (!right) {
        // what hangs on the type would only repeat it
        this._say(`expected ${[rule.type].flat().join(' or ')}, found ${shown(value)}`);
        return;
      }
    }
    if ('const' in rule && value !== rule.const) {
      this._say(`expected ${shown(rule.const)}, found ${shown(value)}`);
    }
    if ('enum' in rule && !rule.enum.includes(value)) {
      this._say(`expected one of ${rule.enum.map(shown).join(', ')}, found ${shown(value)}`);
    }
    if ('minimum' in rule && typeof value === 'number' && value < rule.minimum) {
      this._say(`expected at least ${rule.minimum}, found ${shown(value)}`);
    }
    if ('minLength' in rule && typeof value === 'string' && value.length < rule.minLength) {
      this._say('must not be empty');
    }
    if (isOf(value, 'object')) {
      this._object(value as Rule, rule);
    } else if (Array.isArray(value) && 'items' in rule) {
      value.forEach((item, index) => this._below(index, item, rule.items));
    }
    this._branches(value, rule);
  }

  private _object(value: Rule, rule: Rule): void {
    const properties: Rule = rule.properties ?? {};
    for (const name of rule.required ?? []) {
      if (!Object.hasOwn(value, name)) {
        this._say(`"${name}" is missing`);
      }
    }
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(properties, name)) {
        this._below(name, value[name], properties[name]);
      } else if ('additionalProperties' in rule) {
        this._below(name, value[name], rule.additionalProperties);
      }
    }
  }

  private _branches(value: unknown, rule: Rule): void {
    if ('anyOf' in rule && !rule.anyOf.some((branch: Rule) => fits(value, branch))) {
      // the branch that describes the content stands first, `null` after it
      this.value(value, rule.anyOf[0]);
    }
    for (const branch of rule.allOf ?? []) {
      this.value(value, branch);
    }
    if ('if' in rule && fits(value, rule.if)) {
      this.value(value, rule.then);
    }
  }

  private _below(name: string | number, value: unknown, rule: Rule): void {
    this._path.push(name);
    this.value(value, rule);
    this._path.pop();
  }

  private _say(what: string): void {
    const path = this._path.map(part => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
    this.found.push(`record${path}: ${what}`);
  }
}

function fits(value: unknown, rule: Rule): boolean {
  const check = new Check(1);
  check.value(value, rule);
  return check.found.length === 0;
}

function known(rule: Rule): void {
  if (!SEEN.has(rule)) {
    const unknown = Object.keys(rule).filter(keyword => !KNOWN.has(keyword));
    if (unknown.length > 0) {
      throw new Error(`the check knows no schema keyword ${unknown.join(', ')}`);
    }
    SEEN.add(rule);
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
