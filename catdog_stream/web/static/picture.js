// Makes a file ready for the stream: what browsers show and the stream does not read becomes a
// JPEG, and so does what is too large for it.

const READ = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"];
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];
const AVIF = ["avif", "avis"];
const LARGE_BYTES = 3_000_000;
const LARGEST_BYTES = 64_000_000;
const SIDE = 1600;
const QUALITY = 0.92;

export class NoPicture extends Error {}

// What to send of a file. Throws NoPicture, with a sentence.
// reads: whether the worker converts HEIC, and the bytes of a picture that it takes at most.
export async function prepared(file, reads) {
  const large = Math.min(LARGE_BYTES, reads.maxBytes);
  if (file.size === 0) throw new NoPicture("The file is empty.");
  if (file.size > LARGEST_BYTES) throw new NoPicture("The file is larger than 64 MB.");
  if (READ.includes(file.type) && file.size <= large) return file;
  let bitmap;
  try {
    bitmap = await shown(file);
  } catch {
    return unshown(file, reads);
  }
  return drawn(bitmap);
}

// What this browser cannot show the worker may be able to convert, and says if it is not.
async function unshown(file, reads) {
  const format = await formatOf(file);
  if (format === null && !file.type.startsWith("image/")) {
    throw new NoPicture("The file is not a picture.");
  }
  const name = format === null ? "" : ` ${format}`;
  if (format === "HEIC" && !reads.heic) {
    throw new NoPicture("Neither this browser nor the worker reads HEIC. Save the picture as a JPEG "
      + "and send that. Whoever runs the worker can install catdog-stream[heic].");
  }
  if (file.size > reads.maxBytes) {
    throw new NoPicture(`The${name} picture has more than ${reads.maxBytes.toLocaleString("en")} `
      + "bytes, and this browser cannot make it smaller. Save it as a JPEG and send that.");
  }
  return file;
}

// What browsers may not show, by its first bytes: on many systems such files have no type.
async function formatOf(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  if (head.slice(4, 8) === "ftyp" && HEIC.includes(head.slice(8))) return "HEIC";
  if (head.slice(4, 8) === "ftyp" && AVIF.includes(head.slice(8))) return "AVIF";
  return head.startsWith("II*\0") || head.startsWith("MM\0*") ? "TIFF" : null;
}

// It is loaded as pages load pictures: createImageBitmap takes no SVG.
async function shown(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return image;
}

function drawn(image) {
  const width = image.naturalWidth || SIDE;
  const height = image.naturalHeight || SIDE;
  const scale = Math.min(1, SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // as the stream has it behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => blob === null
      ? reject(new NoPicture("The picture cannot be converted."))
      : resolve(blob), "image/jpeg", QUALITY);
  });
}
