#pragma once
// What the audit log says of an operator's command: the vendor's event (protocol.md I.1), whose actor is not an identity of an
// account but the operator of the server, operator:<unix user>.
#include "db/engine.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd {

// "operator:root": who runs this process.
std::string operator_name();

struct OperatorAct {
    std::string account_id;  // in whose log: the account's own, or its management account's
    std::string_view name;   // "UnbindSecureMobilePhone"
    std::string_view resource_type;
    std::string resource;                                         // its id
    std::vector<std::pair<std::string, std::string>> parameters;  // nothing secret
    std::string subject_ref;                                      // of a person's phone; empty: none
};

// In the transaction of the act itself.
void record(db::Transaction&, const OperatorAct&, std::int64_t now_ms);

}  // namespace openrd
