#pragma once
// `openrd init`: the first management account of a production database.
#include "openrd/data.hpp"

#include <string>

namespace openrd {

struct InitCommand {
    std::string config;
    std::string key_file;  // instead of the file's keys.file: where systemd hands the key on, it is made elsewhere first
    std::string account_name, enterprise_name, email;
};
// Makes key file and database with the account, its directory and its RAM user `admin`, and prints the user's AccessKey pair: the only
// time that it is seen. Returns 0. Throws Failure when there is a database already, and what opening one throws.
int init(const InitCommand& command);

}  // namespace openrd
