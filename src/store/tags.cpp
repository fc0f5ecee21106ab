#include "store/tags.hpp"

#include <algorithm>
#include <iterator>

namespace openrd::store {

TagList tags_of(db::Transaction& tx, std::string_view directory_id, std::string_view resource_type, std::string_view resource_id) {
    static constexpr db::Sql sql{"SELECT tag_key, tag_value FROM tags WHERE directory_id = $1 AND resource_type = $2 AND resource_id = $3 ORDER BY tag_key"};
    TagList tags;
    for (auto rows = tx.query(sql, {directory_id, resource_type, resource_id}); rows.next();) tags.emplace_back(rows.text(0), rows.text(1));
    return tags;
}

void put_tag(db::Transaction& tx, std::string_view directory_id, std::string_view resource_type, std::string_view resource_id, std::string_view key, std::string_view value) {
    static constexpr db::Sql sql{
        "INSERT INTO tags (directory_id, resource_type, resource_id, tag_key, tag_value) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (directory_id, resource_type, resource_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value"};
    tx.run(sql, {directory_id, resource_type, resource_id, key, value});
}

std::vector<std::string> ids_with_tags(db::Transaction& tx, std::string_view directory_id, std::string_view resource_type, const TagList& wanted) {
    static constexpr db::Sql sql{
        "SELECT resource_id FROM tags WHERE directory_id = $1 AND resource_type = $2 AND tag_key = $3 AND ($4 = '' OR tag_value = $4) ORDER BY resource_id"};
    std::vector<std::string> ids;
    bool first = true;
    for (const auto& [key, value] : wanted) {
        std::vector<std::string> having;
        for (auto rows = tx.query(sql, {directory_id, resource_type, key, value}); rows.next();) having.push_back(rows.text(0));
        if (std::exchange(first, false)) {
            ids = std::move(having);
        } else {
            std::vector<std::string> both;
            std::ranges::set_intersection(ids, having, std::back_inserter(both));
            ids = std::move(both);
        }
    }
    return ids;
}

}  // namespace openrd::store
