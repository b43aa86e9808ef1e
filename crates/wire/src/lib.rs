//! The only protobuf: generated code, conversions of the authority's values, golden bytes.
