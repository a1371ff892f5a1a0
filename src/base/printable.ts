// Text of others on its way to a person: control characters and changes of direction could make a log or a terminal say something else.

// Line breaks stay: lists of problems have one a line. What would move the cursor, hide or reorder does not.
const HIDDEN = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with what cannot be seen spelled as \u{…}, cut to `maxCharacters`. */
export function printable(text: string, maxCharacters: number): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
  const shown = cut.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return shown.length > maxCharacters ? `${shown.slice(0, maxCharacters - 1)}…` : shown;
}
