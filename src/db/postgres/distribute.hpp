#pragma once
// The tables of a database distributed over the nodes of a Citus cluster.
#include "db/open.hpp"

#include <span>
#include <string>

namespace openrd::db::postgres {

// db::distribute().
int distribute(const std::string& url, std::span<const Distribution> tables);

}  // namespace openrd::db::postgres
