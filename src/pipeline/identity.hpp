#pragma once
// Who calls: the owner of an AccessKey, or a role session, with everything that a decision about him needs. Kept in memory and
// thrown away when any identity changes (db::Topic::identities).
#include "api/call.hpp"
#include "db/engine.hpp"
#include "keys/session_token.hpp"
#include "policy/decide.hpp"
#include "wire/signature.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace openrd::pipeline {

struct Identity {
    api::Caller caller;
    bool active = true;  // the AccessKey's status
    std::shared_ptr<const wire::SigningKey> key;
    std::vector<const policy::Document*> policies;  // attached; null: one that cannot be read, which allows nothing
    std::optional<policy::Document> session_policy;
    std::vector<std::unique_ptr<const policy::Document>> owned;  // custom ones among `policies`
    std::int64_t expires_at_ms = INT64_MAX;                      // of a session
    std::uint64_t generation = 0;                                // of db::Topic::identities when it was read

    policy::PrincipalFacts principal() const;
};

// The owner of an AccessKey that is no session's; null: there is none. `generation` is the one from before the transaction.
std::shared_ptr<const Identity> load_identity(db::Transaction&, const keys::Ring&, std::string_view access_key_id, std::uint64_t generation);
// Of a role session; null: the role is gone.
std::shared_ptr<const Identity> load_session(db::Transaction&, const keys::Session&, std::uint64_t generation);

// The identities seen lately. May be used from many threads.
class Identities {
  public:
    // Null: not here, or read before the last change of any identity.
    std::shared_ptr<const Identity> find(std::string_view credential, std::uint64_t generation);
    void put(std::string_view credential, std::shared_ptr<const Identity> identity);
    void clear();

  private:
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::string, std::shared_ptr<const Identity>> known;
    };
    static constexpr std::size_t most_per_shard = 4096;
    Shard& shard_of(std::string_view credential);
    std::array<Shard, 16> shards_;
};

}  // namespace openrd::pipeline
