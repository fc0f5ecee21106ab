#include "openrd/key_jobs.hpp"

#include "phone/mobile_number.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/resealing.hpp"
#include "store/suppressions.hpp"

#include <functional>

namespace openrd {
namespace {

constexpr std::int64_t rows_at_a_time = 200;

using store::IndexedPhone;
using store::IndexedRow;
using store::IndexOnly;
using store::SealedColumn;
using store::SealedValue;

// Every row of a list that is read in pages, page by page.
template <class Row, class List> void each_page(db::Engine& engine, const List& list, const std::function<void(const std::vector<Row>&)>& use) {
    Row after;
    for (;;) {
        std::vector<Row> rows;
        engine.read([&](db::Transaction& tx) { rows = list(tx, after, rows_at_a_time); });
        if (rows.empty()) return;
        use(rows);
        after = rows.back();
    }
}

void reseal_page(db::Engine& engine, const keys::Ring& ring, SealedColumn column, const std::vector<SealedValue>& page, KeyJobReport& report) {
    std::vector<std::pair<const SealedValue*, std::string>> fresh;
    for (const auto& value : page) {
        if (keys::Ring::sealed_key_id(value.sealed) == ring.uses().encryption) continue;
        const auto opened = ring.open(store::purpose_of(column), value.sealed, store::associated_with(column, value));
        if (!opened) {
            ++report.unreadable;
            continue;
        }
        fresh.emplace_back(&value, ring.seal(store::purpose_of(column), opened->reveal(), store::associated_with(column, value)));
    }
    if (fresh.empty()) return;
    std::int64_t moved = 0;
    engine.write_and_wait([&](db::Transaction& tx) {
        moved = 0;
        for (const auto& [value, sealed] : fresh) moved += store::replace_sealed(tx, column, *value, sealed) ? 1 : 0;
    });
    report.moved += moved;
}

void move_phone(db::Engine& engine, const keys::Ring& ring, IndexedRow kind, const IndexedPhone& row, KeyJobReport& report) {
    if (keys::Ring::index_key_id(row.phone_index) == ring.uses().index) return;
    const auto opened = ring.open(keys::Purpose::phone, row.phone_sealed, row.account_id);
    const auto number = opened ? phone::MobileNumber::parse(opened->reveal()) : std::nullopt;
    if (!number) {
        if (!row.phone_sealed.empty()) ++report.unreadable;  // a guard without a code has no phone
        return;
    }
    const auto index = ring.blind_index(number->reveal_e164());
    bool moved = false;
    engine.write_and_wait([&](db::Transaction& tx) {
        // As the rooms do, so that none of them waits for this and this for it.
        store::hold_account(tx, row.account_id);
        const auto log = row.directory_id.empty() ? row.account_id : store::load_directory(tx, row.directory_id).management_account_id;
        moved = store::move_index(tx, kind, row, log, index);
    });
    report.moved += moved ? 1 : 0;
}

}  // namespace

KeyJobReport reseal_everything(db::Engine& engine, const keys::Ring& ring) {
    KeyJobReport report;
    for (const auto column : store::sealed_columns)
        each_page<SealedValue>(
            engine, [column](db::Transaction& tx, const SealedValue& after, std::int64_t limit) { return store::list_sealed(tx, column, after, limit); },
            [&](const std::vector<SealedValue>& page) { reseal_page(engine, ring, column, page, report); });
    return report;
}

KeyJobReport move_indexes(db::Engine& engine, const keys::Ring& ring) {
    KeyJobReport report;
    for (const auto kind : {IndexedRow::member, IndexedRow::verification})
        each_page<IndexedPhone>(
            engine, [kind](db::Transaction& tx, const IndexedPhone& after, std::int64_t limit) { return store::list_indexed(tx, kind, after, limit); },
            [&](const std::vector<IndexedPhone>& page) {
                for (const auto& row : page) move_phone(engine, ring, kind, row, report);
            });
    const auto older = [&](const IndexOnly& row) {
        const auto id = keys::Ring::index_key_id(row.phone_index);
        return id != 0 && id != ring.uses().index;
    };
    each_page<IndexOnly>(engine, store::list_subject_indexes, [&](const std::vector<IndexOnly>& page) {
        engine.write_and_wait([&](db::Transaction& tx) {
            for (const auto& row : page)
                if (older(row)) store::unlink_subject(tx, row);
        });
    });
    each_page<IndexOnly>(engine, store::list_phone_uses, [&](const std::vector<IndexOnly>& page) {
        engine.write_and_wait([&](db::Transaction& tx) {
            for (const auto& row : page)
                if (older(row) && row.uses == 0) store::delete_unused_phone(tx, row.phone_index);
        });
    });
    return report;
}

UnderKey count_under(db::Engine& engine, std::uint32_t key_id, std::int64_t now_ms) {
    UnderKey under;
    for (const auto column : store::sealed_columns)
        each_page<SealedValue>(
            engine, [column](db::Transaction& tx, const SealedValue& after, std::int64_t limit) { return store::list_sealed(tx, column, after, limit); },
            [&](const std::vector<SealedValue>& page) {
                for (const auto& value : page) under.sealed += keys::Ring::sealed_key_id(value.sealed) == key_id ? 1 : 0;
            });
    const auto indexed = [&](std::string_view index) { return keys::Ring::index_key_id(index) == key_id ? 1 : 0; };
    for (const auto kind : {IndexedRow::member, IndexedRow::verification})
        each_page<IndexedPhone>(
            engine, [kind](db::Transaction& tx, const IndexedPhone& after, std::int64_t limit) { return store::list_indexed(tx, kind, after, limit); },
            [&](const std::vector<IndexedPhone>& page) {
                for (const auto& row : page) under.indexes += indexed(row.phone_index);
            });
    for (const auto& list : {store::list_subject_indexes, store::list_phone_uses})
        each_page<IndexOnly>(engine, list, [&](const std::vector<IndexOnly>& page) {
            for (const auto& row : page) under.indexes += indexed(row.phone_index);
        });
    each_page<store::Suppression>(
        engine, [](db::Transaction& tx, const store::Suppression& after, std::int64_t limit) { return store::list_suppressions(tx, after.phone_index, limit); },
        [&](const std::vector<store::Suppression>& page) {
            for (const auto& row : page) under.suppressions += indexed(row.phone_index);
        });
    engine.read([&](db::Transaction& tx) { under.codes = store::count_codes_under_way(tx, key_id, now_ms); });
    return under;
}

}  // namespace openrd
