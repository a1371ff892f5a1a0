import { describe, expect, it } from 'vitest';
import { CodedError, printable } from '../../../src/base/index.js';

describe('printable', () => {
  it('spells what moves a cursor, hides or reorders text', () => {
    expect(printable('a\u001b[2J\u0000\u202eb\u2028c\ufeff\ud800', 100)).toBe(
      'a\\u{1b}[2J\\u{0}\\u{202e}b\\u{2028}c\\u{feff}\\u{d800}',
    );
  });

  it('leaves words of any language, signs and line breaks as they are', () => {
    const text = 'Universitätsklinikum\n  病院 “ok” 😀';
    expect(printable(text, 100)).toBe(text);
  });

  it('cuts what is too long, before and after spelling', () => {
    expect(printable('a'.repeat(50), 10)).toBe(`${'a'.repeat(9)}…`);
    expect(printable('\u0000'.repeat(9), 10)).toHaveLength(10);
  });

  it('is what every coded error’s message has been through', () => {
    const error = new CodedError('room/code', `the name "${'\u0007'.repeat(100_000)}" is not one`);
    expect(error.message.startsWith('the name "\\u{7}\\u{7}')).toBe(true);
    expect(error.message.length).toBeLessThanOrEqual(16_384);
  });
});
