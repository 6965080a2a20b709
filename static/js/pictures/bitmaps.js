/* A picture file's pixels as they are to be shown, from the browser or, where it cannot read the file, from the app. */

/** As the browser reads it, turned by so many degrees clockwise; null where it cannot. */
export async function localBitmap(file, turned = 0) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture || !turned) return picture;
  const swapped = turned % 180 !== 0;
  const canvas = new OffscreenCanvas(swapped ? picture.height : picture.width, swapped ? picture.width : picture.height);
  const context = canvas.getContext("2d");
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((turned * Math.PI) / 180);
  context.drawImage(picture, -picture.width / 2, -picture.height / 2);
  picture.close();
  return canvas.transferToImageBitmap();
}

/** As the API answered about it: turned as it says, and from `address` where the browser cannot read it. */
export async function answeredBitmap(file, { turned }, address) {
  return (await localBitmap(file, turned)) ?? remoteBitmap(file, address);
}

async function remoteBitmap(file, address) {
  const form = new FormData();
  form.append("image", file);
  const answer = await fetch(address, { method: "POST", body: form }).catch(() => null);
  return answer?.ok ? createImageBitmap(await answer.blob()).catch(() => null) : null;
}
