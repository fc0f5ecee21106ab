#pragma once
// Every table of the schema but the engine's own: for the sandbox's reset, and for what treats all of them alike.
#include "db/engine.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace openrd::store {

// What becomes of a table's rows when a database moves to another engine.
enum class Moves : std::uint8_t {
    yes,              // all of them, as they are
    as_what_is_used,  // nonces: those rows, and what a file keeps of them in the audit log
    no,               // who holds what belongs to the servers, not to the data
};

inline constexpr const char* everywhere = "";

struct Table {
    db::Sql deletion;          // of every row
    const char* distribution;  // the column by which a cluster distributes it, or everywhere: each of its nodes has all of it
    Moves moves = Moves::yes;

    std::string_view name() const { return std::string_view(deletion.text).substr(std::string_view("DELETE FROM ").size()); }
};
std::span<const Table> tables();

// Deletes every row of every table; the schema stays.
void delete_everything(db::Transaction&);

}  // namespace openrd::store
