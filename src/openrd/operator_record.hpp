#pragma once
// What the audit log says of an operator's command: the vendor's event (protocol.md I.1), whose actor is not an identity of an
// account but the operator of the server, operator:<unix user>.
#include "db/engine.hpp"
#include "keys/ring.hpp"
#include "phone/mobile_number.hpp"
#include "store/accounts.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd {

// "operator:root": who runs this process.
std::string operator_name();

// The log of what concerns no account: in the place of an account's id.
inline constexpr std::string_view server_log = "openrd";

struct OperatorAct {
    std::string account_id;  // in whose log: the account's own, its management account's, or server_log
    std::string_view name;   // "UnbindSecureMobilePhone"
    std::string_view resource_type;
    std::string resource;                                         // its id
    std::vector<std::pair<std::string, std::string>> parameters;  // nothing secret
    std::string subject_ref;                                      // of a person's phone; empty: none
    std::string_view command = "openrd account";
    std::string_view actor = {};  // empty: the operator
};

// Where what is done to an account is recorded: a member's management account reads of it.
std::string log_of(db::Transaction&, const store::Account&);

// In the transaction of the act itself.
void record(db::Transaction&, const OperatorAct&, std::int64_t now_ms);

// That a phone is sent nothing any more, or something again: in the server's log, with the person's reference there, since the number and
// its index stand in no log.
struct SuppressionAct {
    std::string_view name;  // "SuppressPhone"
    std::string reason = {};
    std::string_view command = "openrd suppress";
    std::string_view actor = {};  // empty: the operator
};
void record_suppression(db::Transaction&, const keys::Ring&, const phone::MobileNumber&, const SuppressionAct&, std::int64_t now_ms);

}  // namespace openrd
