// Makes a file ready for the stream: what browsers show and the stream does not read becomes a
// JPEG, and so does what is too large for it.

const READ = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"];
const LARGE_BYTES = 3_000_000;
const LARGEST_BYTES = 64_000_000;
const SIDE = 1600;
const QUALITY = 0.92;

export class NoPicture extends Error {}

// What to send of a file. Throws NoPicture, with a sentence.
export async function prepared(file) {
  if (file.size === 0) throw new NoPicture("The file is empty.");
  if (file.size > LARGEST_BYTES) throw new NoPicture("The file is larger than 64 MB.");
  if (READ.includes(file.type) && file.size <= LARGE_BYTES) return file;
  let bitmap;
  try {
    bitmap = await shown(file);
  } catch {
    // What this browser cannot show the worker may be able to convert, and says if it is not.
    if (file.type.startsWith("image/") && file.size <= LARGE_BYTES) return file;
    throw new NoPicture("The file is not a picture.");
  }
  return drawn(bitmap);
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
