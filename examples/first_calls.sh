#!/bin/sh
# Enroll two people, identify a photo of both, verify, and delete one of them.
set -eu
cd "$(dirname "$0")/../app/demo/photos"
server=${VULTUS_URL:-http://localhost:8000}
people=$server/v1/collections/examples

call() { curl --silent --show-error --fail-with-body -H "x-api-key: ${VULTUS_API_KEY:-}" "$@" && echo; }

echo "-- create a collection"
call -H 'content-type: application/json' -d '{"name": "examples"}' "$server/v1/collections"
trap 'call -X DELETE "$people"' EXIT

echo "-- enroll two people"
call -F name="Eileen Collins" -F external_id=eileen -F images=@eileen.jpg "$people/identities"
call -F name="Grace Hopper" -F external_id=grace -F images=@grace.jpg "$people/identities"

echo "-- who is on the photo?"
call -F image=@group.jpg "$people/identify"

echo "-- do two photos show the same person?"
call -F image_a=@grace.jpg -F image_b=@grace_again.jpg "$server/v1/verify"

echo "-- delete a person, who is unknown from then on"
call -X DELETE "$people/identities/ext:eileen"
call -F image=@eileen_again.jpg "$people/identify"

echo "-- delete the collection"
