#include "store/directory_limits.hpp"

namespace openrd::store {

std::optional<DirectoryLimits> find_directory_limits(db::Transaction& tx, std::string_view directory_id) {
    static constexpr db::Sql sql{"SELECT sends_per_hour, sends_per_day, wrong_per_day FROM directory_limits WHERE directory_id = $1"};
    auto rows = tx.query(sql, {directory_id});
    if (!rows.next()) return {};
    return DirectoryLimits{.directory_id = std::string(directory_id),
                           .sends_per_hour = rows.optional_integer(0),
                           .sends_per_day = rows.optional_integer(1),
                           .wrong_per_day = rows.optional_integer(2)};
}

void put_directory_limits(db::Transaction& tx, const DirectoryLimits& d, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "INSERT INTO directory_limits (directory_id, sends_per_hour, sends_per_day, wrong_per_day, changed_at_ms) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (directory_id) DO UPDATE SET sends_per_hour = excluded.sends_per_hour, sends_per_day = excluded.sends_per_day, wrong_per_day = excluded.wrong_per_day, "
        "changed_at_ms = excluded.changed_at_ms"};
    tx.run(sql, {d.directory_id, db::optional_integer(d.sends_per_hour), db::optional_integer(d.sends_per_day), db::optional_integer(d.wrong_per_day), now_ms});
}

bool delete_directory_limits(db::Transaction& tx, std::string_view directory_id) {
    static constexpr db::Sql sql{"DELETE FROM directory_limits WHERE directory_id = $1"};
    return tx.run(sql, {directory_id}) != 0;
}

}  // namespace openrd::store
