// The functions of a cell: which one the cursor stands in, what it takes, and how the notebook calls it.

import type { SyntaxNode, Tree } from '@lezer/common';
import { parser } from '@lezer/python';

export interface PythonFunction {
  name: string;
  /** Names of the parameters that a call must give, in order. */
  required: string[];
  /** Offsets of the whole definition with its decorators, the end exclusive. */
  from: number;
  to: number;
}

export type Found = { function: PythonFunction } | { problem: string };

/**
 * Finds the function that the offset stands in: the outermost `def`, since one inside it cannot be called from outside.
 * Where the offset stands in none and the cell has only one, it is that one.
 */
export function functionAt(source: string, offset: number): Found {
  const text = withoutMagics(source);
  const tree = parser.parse(text);
  const all: PythonFunction[] = [];
  let around: Found | null = null;
  let method = '';
  visit(tree.topNode, node => {
    if (node.name === 'ClassDefinition') {
      const whole = decorated(node);
      if (contains(whole, offset)) {
        method = nameOf(node, text);
      }
      return false;
    }
    if (node.name !== 'FunctionDefinition') {
      return true;
    }
    const whole = decorated(node);
    const made = described(node, whole, text);
    if (contains(whole, offset)) {
      around = made;
    }
    if ('function' in made) {
      all.push(made.function);
    }
    return false;
  });
  if (around) {
    return around;
  }
  if (method) {
    return { problem: `The cursor stands in the class ${method}. Write the method as a function to compare it.` };
  }
  if (all.length === 1) {
    return { function: all[0] };
  }
  return {
    problem:
      all.length === 0
        ? 'This cell defines no function.'
        : `This cell defines ${all.length} functions: put the cursor into one of them.`
  };
}

/**
 * Finds how a function is called at the top level of a cell, e.g. `fn(x, 40)`; the last call where there are several.
 * Null where there is none.
 */
export function callOf(name: string, source: string): string | null {
  const text = withoutMagics(source);
  let found: string | null = null;
  visit(parser.parse(text).topNode, node => {
    if (node.name === 'FunctionDefinition' || node.name === 'ClassDefinition' || node.name === 'LambdaExpression') {
      return false;
    }
    if (node.name === 'CallExpression' && node.firstChild?.name === 'VariableName') {
      const { from, to } = node.firstChild;
      const call = text.slice(node.from, node.to);
      if (text.slice(from, to) === name && !call.includes('\n') && !hasErrors(node)) {
        found = call;
      }
    }
    return true;
  });
  return found ?? comparedCall(name, source);
}

/** Finds the call on a line of the magic: `%jitcompare -b numba fn(x, 40)`. */
function comparedCall(name: string, source: string): string | null {
  for (const line of source.split('\n').reverse()) {
    const at = /^\s*%%?jitcompare\s/.test(line) ? line.indexOf(` ${name}(`) : -1;
    const call = at < 0 ? '' : line.slice(at).trim().replace(/;$/, '');
    if (call && callProblem(call) === null) {
      return call;
    }
  }
  return null;
}

/** Writes a call that names the required parameters, for the user to replace: `fn(x, n)`. */
export function plainCall({ name, required }: PythonFunction): string {
  return `${name}(${required.join(', ')})`;
}

/** Says what is wrong with a text as a call; null where it is one call on one line. */
export function callProblem(call: string): string | null {
  const text = call.trim();
  if (!text) {
    return 'Write the call to compare, e.g. fn(x).';
  }
  if (/[\r\n]/.test(text)) {
    return 'The call must stand on one line.';
  }
  const tree = parser.parse(text);
  const statement = tree.topNode.firstChild;
  const expression = statement?.firstChild;
  const whole = expression && expression.from === 0 && expression.to === text.length && !statement?.nextSibling;
  if (!whole || expression.name !== 'CallExpression' || hasErrors(tree.topNode)) {
    return 'This is no call of a function, such as fn(x).';
  }
  return null;
}

/** Returns the source with the same offsets, in which magics and shell commands are comments. */
export function withoutMagics(source: string): string {
  // `#` for the first character, so that the line stays a line and every offset stays where it was
  return source.replace(/^([^\S\n]*)[%!?](?=[%!?\w])/gm, '$1#');
}

function described(node: SyntaxNode, whole: Span, text: string): Found {
  const name = nameOf(node, text);
  if (!name) {
    return { problem: 'This function is not complete yet.' };
  }
  if (text.slice(node.from, node.from + 5) === 'async') {
    return { problem: `${name} is async: only plain functions can be compared.` };
  }
  const required = parameters(node.getChild('ParamList'), text);
  return { function: { name, required, from: whole.from, to: whole.to } };
}

interface Span {
  from: number;
  to: number;
}

function decorated(node: SyntaxNode): Span {
  const { from, to } = node.parent?.name === 'DecoratedStatement' ? node.parent : node;
  return { from, to };
}

function contains({ from, to }: Span, offset: number): boolean {
  return from <= offset && offset <= to;
}

function nameOf(node: SyntaxNode, text: string): string {
  const name = node.getChild('VariableName');
  return name ? text.slice(name.from, name.to) : '';
}

/** Returns the parameters without a default; `*args`, `**kwargs` and what has a default may be left out. */
function parameters(list: SyntaxNode | null, text: string): string[] {
  const found: string[] = [];
  let name = '';
  let optional = false;
  let keyword = false;
  const finish = () => {
    if (name && !optional) {
      found.push(keyword ? `${name}=${name}` : name);
    }
    name = '';
    optional = false;
  };
  for (let node = list?.firstChild ?? null; node; node = node.nextSibling) {
    const token = text.slice(node.from, node.to);
    if (token === ',' || token === ')') {
      finish();
    } else if (token === '*' || token === '**') {
      // what stands behind a star takes any number; what comes after it must be named
      optional = true;
      keyword = true;
    } else if (node.name === 'AssignOp') {
      optional = true;
    } else if (node.name === 'VariableName' && !name) {
      name = token;
    }
  }
  return found;
}

/** Walks a tree; where `enter` returns false the node's children are left out. */
function visit(node: SyntaxNode, enter: (node: SyntaxNode) => boolean): void {
  if (!enter(node)) {
    return;
  }
  for (let child = node.firstChild; child; child = child.nextSibling) {
    visit(child, enter);
  }
}

function hasErrors(node: SyntaxNode): boolean {
  let broken = false;
  (node.toTree() as Tree).iterate({
    enter: each => {
      broken ||= each.type.isError;
    }
  });
  return broken;
}
