#pragma once
// What a table looks like, by the database's own word.
#include "db/engine.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::db {

enum class Kind : std::uint8_t { text, integer, bytes };

struct Column {
    std::string name;
    Kind kind = Kind::text;
    int place_in_key = 0;  // of the primary key, from 1; 0: it is not in it

    friend bool operator==(const Column&, const Column&) = default;
};

// In order; empty when there is no such table. Throws Error(programming) for a type that is none of ours.
std::vector<Column> columns_of(Transaction&, std::string_view table);

}  // namespace openrd::db
