#include "store/leases.hpp"

namespace openrd::store {

std::optional<Lease> find_lease(db::Transaction& tx, std::string_view name) {
    static constexpr db::Sql sql{"SELECT holder, beat, place FROM leases WHERE name = $1"};
    auto rows = tx.query(sql, {name});
    return rows.next() ? std::optional(Lease{.holder = rows.text(0), .beat = rows.integer(1), .place = rows.integer(2)}) : std::nullopt;
}

bool create_lease(db::Transaction& tx, std::string_view name, std::string_view holder, std::int64_t place) {
    static constexpr db::Sql sql{"INSERT INTO leases (name, holder, beat, place) VALUES ($1, $2, 1, $3) ON CONFLICT (name) DO NOTHING"};
    return tx.run(sql, {name, holder, place}) != 0;
}

bool take_lease(db::Transaction& tx, std::string_view name, std::string_view holder, const Lease& seen) {
    static constexpr db::Sql sql{"UPDATE leases SET holder = $2, beat = beat + 1 WHERE name = $1 AND holder = $3 AND beat = $4"};
    return tx.run(sql, {name, holder, seen.holder, seen.beat}) != 0;
}

bool hold_lease(db::Transaction& tx, std::string_view name, std::string_view holder, std::int64_t place, std::int64_t new_place) {
    static constexpr db::Sql sql{"UPDATE leases SET beat = beat + 1, place = $4 WHERE name = $1 AND holder = $2 AND place = $3"};
    return tx.run(sql, {name, holder, place, new_place}) != 0;
}

void give_lease_back(db::Transaction& tx, std::string_view name, std::string_view holder) {
    static constexpr db::Sql sql{"UPDATE leases SET holder = '', beat = beat + 1 WHERE name = $1 AND holder = $2"};
    tx.run(sql, {name, holder});
}

}  // namespace openrd::store
