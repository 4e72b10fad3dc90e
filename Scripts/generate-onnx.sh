#!/bin/sh
# Makes Sources/PantileImport/Generated/onnx.pb.swift from our onnx.proto.
# Needs protoc (Debian: protobuf-compiler); builds protoc-gen-swift from the resolved swift-protobuf checkout when it is
# not on the path. Run it from the repository root after `swift package resolve`.
set -eu
plugin=$(command -v protoc-gen-swift || true)
if [ -z "$plugin" ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  cp -r .build/checkouts/swift-protobuf "$scratch/source"
  swift build --package-path "$scratch/source" --product protoc-gen-swift >&2
  plugin=$(swift build --package-path "$scratch/source" --product protoc-gen-swift --show-bin-path)/protoc-gen-swift
fi
protoc --plugin=protoc-gen-swift="$plugin" --swift_opt=Visibility=Internal --swift_out=Sources/PantileImport/Generated \
  --proto_path=Sources/PantileImport/ONNX onnx.proto
