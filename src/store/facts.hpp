#pragma once
// What a database says of itself.
#include "db/engine.hpp"

namespace openrd::store {

inline constexpr std::string_view fact_made_by = "made_by";            // "sandbox" or "init"
inline constexpr std::string_view fact_key_fingerprint = "key_file";   // keys::Ring::fingerprint of the key file it belongs to
inline constexpr std::string_view fact_audit_origin = "audit_origin";  // of its checkpoints
inline constexpr std::string_view fact_write_probe = "write_probe";    // means nothing: written to find out whether it can be

std::optional<std::string> find_fact(db::Transaction&, std::string_view name);
void put_fact(db::Transaction&, std::string_view name, std::string_view value);

}  // namespace openrd::store
