#pragma once
// What a room knows besides its request: who calls, when, in which transaction, and what it may use.
#include "api/version.hpp"
#include "base/limits.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::db {
class Transaction;
}
namespace openrd::keys {
class Ring;
}
namespace openrd::phone {
class Numbering;
}

namespace openrd::api {

// Who may call an operation; the pipeline refuses the others before the room runs (service.md 4).
enum class Callers : std::uint8_t {
    any_account,              // every authenticated identity
    management,               // root or RAM identity of a management account; others: EntityNotExists.ResourceDirectory
    management_ram_identity,  // its root is refused too; others: CallerIdentityError
    management_or_delegated,  // as management until delegated administrators come
    directory_account,        // of a management account or a member; others: ResourceDirectoryNotInUse
};

enum class CallerKind : std::uint8_t { root, user, role_session };
// Where an account stands: in no directory, at the head of one, or a member of one.
enum class Standing : std::uint8_t { none, management, member };

struct Caller {
    CallerKind kind = CallerKind::root;
    std::string account_id;
    std::string principal_id;  // the uid; the UserId; RoleId:SessionName
    std::string name;          // root; the user's name; RoleName:SessionName
    std::string role_id;       // of a role session
    std::string arn;
    std::string access_key_id;
    std::string source_identity;  // of a role session
    Standing standing = Standing::none;
    std::string directory_id;  // empty when it stands in none
};

// Keeps effects that must survive a refusal: see Call::keep.
class Keeper {
  public:
    virtual void keep(const std::function<void()>& effects) = 0;

  protected:
    ~Keeper() = default;
};

struct Call {
    Version version;
    const Caller& caller;
    std::int64_t now_ms;  // the call's one reading of the clock
    std::string_view request_id;
    std::string_view source_address;
    db::Transaction& transaction;
    const keys::Ring& ring;
    const phone::Numbering& numbering;
    const base::Settings& settings;
    Keeper& keeper;
    // Resources that the audit record names: {"ACS::ResourceManager::Account", id}.
    std::vector<std::pair<std::string_view, std::string>> concerned = {};

    // Runs `effects` so that they are committed even when the room then throws a fault: a counted attempt. They come before
    // anything else that the room writes (what was written earlier would be kept with them: refused as a mistake of the room).
    void keep(const std::function<void()>& effects) { keeper.keep(effects); }
    void concerns(std::string_view type, std::string id) { concerned.emplace_back(type, std::move(id)); }
};

inline constexpr std::string_view account_resource = "ACS::ResourceManager::Account";
inline constexpr std::string_view folder_resource = "ACS::ResourceManager::Folder";
inline constexpr std::string_view directory_resource = "ACS::ResourceManager::ResourceDirectory";
inline constexpr std::string_view role_resource = "ACS::RAM::Role";

}  // namespace openrd::api
