// AWS' JavaScript SDK 3: the same as rekognition_boto3.py, in short.

import { readFile } from "node:fs/promises";
import * as aws from "@aws-sdk/client-rekognition";
import { call, given } from "./calls.mjs";

const client = new aws.RekognitionClient({
    endpoint: given.url,
    region: "eu-central-1",
    credentials: { accessKeyId: given.access_key_id, secretAccessKey: given.secret },
    maxAttempts: 1,
});
const image = {};
for (const [name, path] of Object.entries(given.photos)) {
    image[name] = { Bytes: await readFile(path) };
}
const CollectionId = "javascript";
const send = (name, command, sent = {}) => call(name, () => client.send(new aws[`${command}Command`](sent)));
const people = (name, command, sent = {}) => send(name, command, { CollectionId, ...sent });

await people("create", "CreateCollection");
await people("create again", "CreateCollection");
await people("describe", "DescribeCollection");
await send("list collections", "ListCollections");
await send("broken name", "DescribeCollection", { CollectionId: "a b" });
await send("detect", "DetectFaces", { Image: image.group });
await send("compare", "CompareFaces", { SourceImage: image.eileen, TargetImage: image.eileen_again });
await send("compare with nobody", "CompareFaces", { SourceImage: image.eileen, TargetImage: image.coffee });
const indexed = await people("index eileen", "IndexFaces", { Image: image.eileen, ExternalImageId: "eileen" });
await people("index grace", "IndexFaces", { Image: image.grace, ExternalImageId: "grace" });
await people("list", "ListFaces");
await people("search eileen", "SearchFacesByImage", { Image: image.eileen_again });
await people("search a stranger", "SearchFacesByImage", { Image: image.stranger });
await people("search nobody", "SearchFacesByImage", { Image: image.coffee });
const FaceId = indexed.FaceRecords[0].Face.FaceId;
await people("create user", "CreateUser", { UserId: "eileen" });
await people("associate", "AssociateFaces", { UserId: "eileen", FaceIds: [FaceId] });
await people("search users", "SearchUsersByImage", { Image: image.eileen_again });
await people("delete user", "DeleteUser", { UserId: "eileen" });
await people("delete", "DeleteFaces", { FaceIds: [FaceId] });
await people("search who is deleted", "SearchFacesByImage", { Image: image.eileen_again });
await people("delete collection", "DeleteCollection");
