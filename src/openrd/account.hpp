#pragma once
// `openrd account ...`: what an operator does to accounts that no API does. On the database, beside a running server (which sees it
// within a second) or without one; each change is in the audit log, in the same transaction. Answers are JSON on stdout.
#include "openrd/data.hpp"

#include <string>
#include <vector>

namespace openrd {

struct AccountOptions {
    DataPlace place;
    std::string account_id;
    std::string name, email, enterprise_name;  // create
    std::string user_name;                     // create-access-key
    std::vector<std::string> policies;
};

// Each returns 0. Failure with status 1: there is no such account, or nothing to do; 2: the database cannot be used.
int create_account(const AccountOptions&);
int list_accounts(const AccountOptions&);
int show_account(const AccountOptions&);
int create_access_key(const AccountOptions&);  // prints the secret, the only time that it is seen
int verify_enterprise(const AccountOptions&);
int withdraw_enterprise(const AccountOptions&);
int unbind_phone(const AccountOptions&);
int lock_account(const AccountOptions&);  // no code is sent for it and none redeemed, until it is unlocked
int unlock_account(const AccountOptions&);

}  // namespace openrd
