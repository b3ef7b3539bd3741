/**
 * Figures as text, with no more digits than their interval supports. The same as `jitmagic/figures.py`, whose tests
 * hold this file to it: a notebook without a kernel must show the digits that its text output shows.
 */

import type { Clock, Interval, Value } from './record';

export const MISSING = '–';
const MOST_DIGITS = 3;
const ONE_SAMPLE_DIGITS = 2;
const PRECISION = 28;

/** A decimal number `digits * 10 ** exponent`, exact: binary floats would round 0.15 the other way. */
class Decimal {
  constructor(
    readonly digits: bigint,
    readonly exponent: number
  ) {}

  static of(value: number): Decimal {
    const [mantissa, power] = String(value).split('e');
    const [whole, fraction = ''] = mantissa.split('.');
    return new Decimal(BigInt(whole + fraction), Number(power ?? 0) - fraction.length);
  }

  get zero(): boolean {
    return this.digits === 0n;
  }

  /** Returns the power of ten of the first digit. */
  adjusted(): number {
    return magnitude(this.digits).toString().length - 1 + this.exponent;
  }

  shifted(places: number): Decimal {
    return new Decimal(this.digits, this.exponent + places);
  }

  minus(other: Decimal): Decimal {
    const exponent = Math.min(this.exponent, other.exponent);
    return new Decimal(this.at(exponent) - other.at(exponent), exponent);
  }

  over(divisor: bigint): Decimal {
    const extra = PRECISION + divisor.toString().length;
    return new Decimal((this.digits * 10n ** BigInt(extra)) / divisor, this.exponent - extra);
  }

  inverse(): Decimal {
    const extra = PRECISION + magnitude(this.digits).toString().length;
    return new Decimal(10n ** BigInt(extra) / this.digits, -extra - this.exponent);
  }

  compare(other: Decimal): number {
    const { digits } = this.minus(other);
    return digits < 0n ? -1 : digits > 0n ? 1 : 0;
  }

  /** Rounds at a power of ten, a half to the even neighbour. */
  rounded(place: number): Decimal {
    if (this.exponent >= place) {
      return this;
    }
    const unit = 10n ** BigInt(place - this.exponent);
    const size = magnitude(this.digits);
    let quotient = size / unit;
    const twice = 2n * (size % unit);
    if (twice > unit || (twice === unit && quotient % 2n === 1n)) {
      quotient += 1n;
    }
    return new Decimal(this.digits < 0n ? -quotient : quotient, place);
  }

  number(): number {
    return Number(`${this.digits}e${this.exponent}`);
  }

  /** Writes it with a number of decimals, of which it has no more. */
  fixed(decimals: number): string {
    const text = magnitude(this.at(Math.min(-decimals, this.exponent))).toString();
    const padded = text.padStart(decimals + 1, '0');
    const sign = this.digits < 0n ? '-' : '';
    return decimals ? `${sign}${padded.slice(0, -decimals)}.${padded.slice(-decimals)}` : sign + padded;
  }

  private at(exponent: number): bigint {
    return this.digits * 10n ** BigInt(this.exponent - exponent);
  }
}

const ONE = new Decimal(1n, 0);

function magnitude(digits: bigint): bigint {
  return digits < 0n ? -digits : digits;
}

/** A unit: `factor * 10 ** power` of the base. */
const DURATIONS: [string, number, bigint][] = [
  ['ns', -9, 1n],
  ['µs', -6, 1n],
  ['ms', -3, 1n],
  ['s', 0, 1n],
  ['min', 0, 60n],
  ['h', 0, 3600n]
];
const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Writes a figure with the digits that its interval supports; two digits where there is none. */
export function figure(value: number | null, low: number | null = null, high: number | null = null): string {
  if (value === null) {
    return MISSING;
  }
  const exact = Decimal.of(value);
  return written(exact, lastPlace(exact, optional(low), optional(high)));
}

/** Writes a ratio of run times and its interval, e.g. ["5.8×", "5.6–6.0"]. */
export function speedup(ratio: Interval): [string, string] {
  const value = Decimal.of(ratio.median);
  const low = Decimal.of(ratio.low);
  const high = Decimal.of(ratio.high);
  if (low.digits > 0n && ratio.low <= ratio.median && ratio.median < 0.01 && ratio.high < 0.1) {
    return fraction(value.inverse(), high.inverse(), low.inverse());
  }
  const place = lastPlace(value, low, high);
  if (ratio.low <= 1 && 1 <= ratio.high) {
    return [`${written(value, place)}×`, ends(low, high, place)];
  }
  const [shown, first, last] = [value, low, high].map(one => written(one, placeApartFromOne(one, place)));
  return [`${shown}×`, first !== last ? `${first}–${last}` : ''];
}

function fraction(value: Decimal, low: Decimal, high: Decimal): [string, string] {
  const place = lastPlace(value, low, high);
  const one = (end: Decimal): string => {
    const text = written(end, Math.min(place, end.adjusted()));
    return `1/${/^\d+$/.test(text) ? grouped(text) : text}`;
  };
  const [first, last] = [one(high), one(low)];
  return [`${one(value)}×`, first !== last ? `${first}–${last}` : ''];
}

/** Writes a time in the unit that suits it: "26.0 ms", "1.3 s", "2.5 min". */
export function duration(seconds: number | null, low: number | null = null, high: number | null = null): string {
  if (seconds === null) {
    return MISSING;
  }
  if (seconds === 0) {
    return '0 s';
  }
  const found = inUnit(seconds, low, high);
  return `${written(found.scaled, found.place)} ${found.unit}`;
}

/** Writes the interval of a time in the unit of the time: "25.6–26.6 ms"; "" where its ends look the same. */
export function durationInterval(seconds: number, low: number, high: number): string {
  if (seconds === 0) {
    return '';
  }
  const { place, scale, unit } = inUnit(seconds, low, high);
  const text = ends(scale(Decimal.of(low)), scale(Decimal.of(high)), place);
  return text ? `${text} ${unit}` : '';
}

interface InUnit {
  scaled: Decimal;
  place: number;
  scale: (value: Decimal) => Decimal;
  unit: string;
}

function inUnit(seconds: number, low: number | null, high: number | null): InUnit {
  const exact = Decimal.of(seconds);
  let found: InUnit | null = null;
  for (const [unit, power, factor] of DURATIONS) {
    const scale = (value: Decimal): Decimal => (factor === 1n ? value.shifted(-power) : value.over(factor));
    const scaled = scale(exact);
    const place = lastPlace(
      scaled,
      low === null ? null : scale(Decimal.of(low)),
      high === null ? null : scale(Decimal.of(high))
    );
    found = { scaled, place, scale, unit };
    // minutes and hours from two on: "75 s" is read faster than "1.2 min"
    if (scaled.rounded(place).number() < (power < 0 ? 1000 : 120)) {
      break;
    }
  }
  return found as InUnit;
}

/** Writes a clock's median, with the digits that its samples support. */
export function clock(measured: Clock | null): string {
  if (measured === null) {
    return MISSING;
  }
  return measured.samples < 2
    ? duration(measured.median)
    : duration(measured.median, measured.low, measured.high);
}

/** Writes a number of bytes in decimal units: "100 MB", "25.8 GB". */
export function size(count: number | null): string {
  if (count === null) {
    return MISSING;
  }
  const exact = Decimal.of(count);
  let text = '';
  for (const [index, unit] of SIZES.entries()) {
    const scaled = exact.shifted(-3 * index);
    const place = index ? (scaled.zero ? 0 : scaled.adjusted()) - MOST_DIGITS + 1 : 0;
    text = `${plain(written(scaled, place))} ${unit}`;
    if (scaled.rounded(place).number() < 1000) {
      break;
    }
  }
  return text;
}

/** Writes a whole number with its thousands apart: "1,234"; a huge one as a power of ten. */
export function count(number: number | null | undefined): string {
  if (number === null || number === undefined) {
    return MISSING;
  }
  const exact = Decimal.of(number);
  if (!exact.zero && exact.adjusted() >= 9) {
    return written(exact, exact.adjusted() - 1);
  }
  return grouped(exact.rounded(0).fixed(0));
}

/** Writes a number of calls that was computed from measured times: two digits from a hundred on. */
export function calls(number: number | null): string {
  if (number === null) {
    return MISSING;
  }
  const exact = Decimal.of(number);
  return count(!exact.zero && exact.adjusted() >= 2 ? exact.rounded(exact.adjusted() - 1).number() : number);
}

/** Writes what an argument is: "float32[5000, 5000]", or its kind where it is no array. */
export function valueType(fact: Value): string {
  if (fact.shape === null) {
    return fact.dtype ?? fact.kind;
  }
  return `${fact.dtype ?? fact.kind}[${fact.shape.map(length => length ?? '?').join(', ')}]`;
}

/** Writes "1 call", "2 calls". */
export function plural(number: number, noun: string): string {
  return number === 1 ? `${number} ${noun}` : `${number} ${noun}s`;
}

/** Joins words for a reader: "a", "a and b", "a, b and c". */
export function listed(words: string[]): string {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}` : words.join('');
}

function optional(value: number | null): Decimal | null {
  return value === null ? null : Decimal.of(value);
}

/** Finds the power of ten of the last digit that an interval supports. */
function lastPlace(value: Decimal, low: Decimal | null, high: Decimal | null): number {
  const leading = value.zero ? 0 : value.adjusted();
  let place = leading - ONE_SAMPLE_DIGITS + 1;
  let most = ONE_SAMPLE_DIGITS;
  if (low !== null && high !== null && low.compare(high) !== 0) {
    place = Math.min(high.minus(low).over(2n).adjusted(), leading);
    most = MOST_DIGITS;
    if (low.compare(value) <= 0 && value.compare(high) <= 0) {
      // a lopsided interval may lie on one side of the rounded figure: one digit more, then
      while (low.compare(value.rounded(place)) > 0 || value.rounded(place).compare(high) > 0) {
        place -= 1;
      }
    }
  }
  place = Math.max(place, leading - most + 1);
  if (value.zero) {
    return place;
  }
  // 999.6 rounds to 1000, which has one digit more
  const rounded = value.rounded(place);
  return Math.max(place, (rounded.zero ? place : rounded.adjusted()) - most + 1);
}

function placeApartFromOne(end: Decimal, place: number): number {
  let at = end.zero ? place : Math.min(place, end.adjusted());
  const side = end.compare(ONE);
  while (side !== 0) {
    const rounded = end.rounded(at).compare(ONE);
    if (rounded !== 0 && rounded > 0 === side > 0) {
      break;
    }
    at -= 1;
  }
  return at;
}

function written(value: Decimal, place: number): string {
  const rounded = value.rounded(place);
  if (rounded.zero) {
    return '0';
  }
  const leading = rounded.adjusted();
  if (leading > -5 && leading < 6) {
    return rounded.fixed(Math.max(0, -place));
  }
  const [mantissa, power] = rounded.number().toExponential(Math.min(Math.max(0, leading - place), 100)).split('e');
  return `${mantissa}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}

function ends(low: Decimal, high: Decimal, place: number): string {
  // an end far below the figure keeps its own first digit: "0.4–40", never "0–40"
  const [first, last] = [low, high].map(end => written(end, end.zero ? place : Math.min(place, end.adjusted())));
  return first !== last ? `${first}–${last}` : '';
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function plain(text: string): string {
  return text.includes('.') && !text.includes('e') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}
