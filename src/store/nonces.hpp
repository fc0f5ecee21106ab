#pragma once
// Nonces of writes on a shared database: taken once, whichever server is asked. (On a file the one server's memory decides:
// pipeline/nonces.hpp.)
#include "db/engine.hpp"

#include <string>

namespace openrd::store {

struct NonceOfWrite {
    std::string account_id, hash, request_id;
    std::int64_t until_ms = 0;
};

// True for whoever is first; a second one waits until the first one's transaction has ended.
bool take_nonce(db::Transaction&, const NonceOfWrite&);
// The same without waiting: when somebody else has it, the transaction fails (db::Trouble::conflict) and is run again.
void post_nonce(db::Transaction&, const NonceOfWrite&);
// Whether it was taken by that request in a transaction that was committed. Writes in any case: when nobody has it, it is taken now, so that
// a transaction whose answer was lost cannot be committed any more; and once this write is safe, so is all that came before it.
bool settle_nonce(db::Transaction&, const NonceOfWrite&);
// Those whose time is over.
void delete_old_nonces(db::Transaction&, std::int64_t now_ms);
bool has_old_nonces(db::Transaction&, std::int64_t now_ms);

}  // namespace openrd::store
