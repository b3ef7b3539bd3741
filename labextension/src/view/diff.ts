/** Two sources set beside each other: which lines stayed, which were changed. */

/** One line on each side, by its index there; null for an empty place that keeps the sides level. */
export interface Pair {
  left: number | null;
  right: number | null;
  changed: boolean;
}

/** Cells of the table of common lines above which no comparison is made. */
const LARGEST = 4_000_000;

/** Pairs the lines of two sources along a longest common subsequence; null where they are too long for that. */
export function paired(left: string[], right: string[]): Pair[] | null {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) {
    start += 1;
  }
  let tail = 0;
  while (
    tail < left.length - start &&
    tail < right.length - start &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  ) {
    tail += 1;
  }
  const rows = left.length - start - tail;
  const columns = right.length - start - tail;
  if ((rows + 1) * (columns + 1) > LARGEST) {
    return null;
  }
  // length of the longest common subsequence of what follows each pair of lines
  const width = columns + 1;
  const common = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        left[start + i] === right[start + j]
          ? common[(i + 1) * width + j + 1] + 1
          : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  const pairs: Pair[] = [];
  const same = (i: number, j: number): void => void pairs.push({ left: i, right: j, changed: false });
  let removed: number[] = [];
  let added: number[] = [];
  const flush = (): void => {
    for (let index = 0; index < Math.max(removed.length, added.length); index += 1) {
      pairs.push({ left: removed[index] ?? null, right: added[index] ?? null, changed: true });
    }
    removed = [];
    added = [];
  };
  for (let index = 0; index < start; index += 1) {
    same(index, index);
  }
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && left[start + i] === right[start + j]) {
      flush();
      same(start + i, start + j);
      i += 1;
      j += 1;
    } else if (j === columns || (i < rows && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      removed.push(start + i);
      i += 1;
    } else {
      added.push(start + j);
      j += 1;
    }
  }
  flush();
  for (let index = tail; index > 0; index -= 1) {
    same(left.length - index, right.length - index);
  }
  return pairs;
}

/** A run of pairs that is shown, or one of unchanged pairs that is folded. */
export interface Stretch {
  pairs: Pair[];
  folded: boolean;
}

/** Folds what did not change, but for some lines around each change. */
export function stretches(pairs: Pair[], context = 3): Stretch[] {
  const near = pairs.map((_, index) =>
    pairs.slice(Math.max(index - context, 0), index + context + 1).some(pair => pair.changed)
  );
  const nothing = !near.includes(true);
  const made: Stretch[] = [];
  pairs.forEach((pair, index) => {
    const folded = !nothing && !near[index];
    const last = made[made.length - 1];
    if (last && last.folded === folded) {
      last.pairs.push(pair);
    } else {
      made.push({ pairs: [pair], folded });
    }
  });
  // a fold of one or two lines would be no shorter than the lines
  return made.map(one => (one.folded && one.pairs.length < 3 ? { ...one, folded: false } : one));
}
