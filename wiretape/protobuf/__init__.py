"""Protocol Buffers without generated code: bytes <-> trees, by guess or by the .proto."""
