// Messages as the steered peers tell them: { text, content }, content in hex unless it is text, and
// { text, size, sum } where they are long. To be sent is one of these, or { text, size } for a
// pattern of that size.
const longest = 1024;
const alphabet = 'abcdefghijklmnopqrstuvwxyz';

export function contentOf({ text, content, size }) {
  if (text) return content ?? alphabet.repeat(Math.ceil(size / 26)).slice(0, size);
  if (content === undefined) return new Uint8Array(size).map((_, index) => index * 31);
  return Uint8Array.from(content.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// FNV-1a of 32 bits.
function sumOf(bytes) {
  let sum = 0x811c9dc5;
  for (const octet of bytes) sum = Math.imul(sum ^ octet, 0x01000193);
  return sum >>> 0;
}

export function describe(content) {
  const text = typeof content === 'string';
  const bytes = text ? new TextEncoder().encode(content) : new Uint8Array(content);
  if (bytes.length > longest) return { text, size: bytes.length, sum: sumOf(bytes) };
  const hex = () => Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
  return { text, content: text ? content : hex() };
}
