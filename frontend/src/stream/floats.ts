/** Float arrays as events carry them: base64 of little-endian float32, row-major. */

/** A Float32Array of its own from base64. Raises Error where the length is no multiple of four bytes. */
export function decodeFloats(text: string): Float32Array {
  const binary = atob(text);
  if (binary.length % 4 !== 0) throw new Error(`a float array of ${binary.length} bytes`);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  const view = new DataView(bytes.buffer);
  const floats = new Float32Array(binary.length / 4);
  for (let index = 0; index < floats.length; index++) floats[index] = view.getFloat32(index * 4, true);
  return floats;
}
