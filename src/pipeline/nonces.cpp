// Time in here is counted in units of a minute (longer ones when the window is long). `clock` is the latest time seen: a nonce dies by
// it, when the whole unit of its signed time lies more than the window and one unit behind. What a moved clock does to that (sandbox):
// - Set back by no more than the window: `clock` stays, and nothing is forgotten earlier than it would have been.
// - Set back further: `clock` follows, and what is remembered of the time that is now to come stays, read-only if need be, until that
//   time is over. Only for lack of memory is it forgotten before.
// - A signed time outside the window of now (somebody accepts signatures by a second clock) or of `clock` does not say how long the
//   signature stays good: its nonce is kept for the longest time there is, two windows from now.
// Callers that accept signatures by several clocks pass the earliest of them as now.
#include "pipeline/nonces.hpp"

#include "base/clock.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace openrd::pipeline {
namespace {

constexpr std::size_t slots = 7;
// A cache line. All zero, as the kernel gives it, is empty.
struct alignas(64) Bucket {
    std::uint64_t tags[slots];
    std::uint8_t stamps[slots];  // 0: never used; otherwise the unit of the signed time, 1 being the level's first
    std::uint8_t spin;
};
static_assert(sizeof(Bucket) == 64);

constexpr std::size_t usual_first_bytes = 512 * 1024, least_bytes = 4 * 1024;
constexpr std::size_t most_levels = 12;
constexpr std::int64_t never = INT64_MIN / 4;

// Where a nonce may stand and by what it is known there. Its halves choose the buckets by their low bits; in the tag each of those
// meets high bits of the other half, so that two nonces of one bucket agree in it with probability 2^-64.
struct Key {
    explicit Key(std::string_view hash) {
        std::array<char, 16> bytes{};
        std::copy_n(hash.begin(), std::min(hash.size(), bytes.size()), bytes.begin());
        std::memcpy(&low, bytes.data(), sizeof low);
        std::memcpy(&high, bytes.data() + sizeof low, sizeof high);
        tag = low ^ std::rotl(high, 32);
    }
    std::uint64_t low = 0, high = 0, tag = 0;
};

// Both buckets of a nonce, taken in the order of their addresses.
class Hold {
  public:
    Hold(Bucket& a, Bucket& b) : first_(std::min(&a, &b)), second_(std::max(&a, &b)) {
        take(*first_);
        if (first_ != second_) take(*second_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
        std::atomic_ref(second_->spin).store(0, std::memory_order_release);
        if (first_ != second_) std::atomic_ref(first_->spin).store(0, std::memory_order_release);
    }

  private:
    static void take(Bucket& bucket) {
        const std::atomic_ref spin(bucket.spin);
        for (int tries = 1; spin.exchange(1, std::memory_order_acquire) != 0; ++tries)
            if (tries % 64 == 0) std::this_thread::yield();  // its holder may have lost the processor
    }
    Bucket* first_;
    Bucket* second_;
};

// A table of one size, for signed times of 254 units from its first on, so that a stamp of 8 bits means one unit only.
class Level {
  public:
    static constexpr std::int64_t units = 254;

    // Nothing when there is no memory. The kernel gives the pages one by one when they are touched.
    static std::unique_ptr<Level> make(std::int64_t first_unit, std::size_t bytes) {
        void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return nullptr;
        return std::unique_ptr<Level>(new Level(first_unit, bytes, static_cast<Bucket*>(memory)));
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { ::munmap(buckets_, bytes_); }

    static std::uint64_t plan(std::size_t bytes) { return bytes / sizeof(Bucket) * slots * 6 / 10; }

    std::size_t bytes() const { return bytes_; }
    std::int64_t first() const { return first_; }
    bool covers(std::int64_t from, std::int64_t to) const { return from >= first_ && to < first_ + units; }

    // Each bucket is a miss of every cache: better all of them at once.
    void fetch(const Key& key) const {
        __builtin_prefetch(&buckets_[key.low & mask_]);
        __builtin_prefetch(&buckets_[key.high & mask_]);
    }
    // Whether the nonce is in here. `oldest`: the first unit that is alive. Only while nobody inserts.
    bool has(const Key& key, std::int64_t oldest) const {
        const auto alive = first_alive(oldest);
        return has(buckets_[key.low & mask_], key.tag, alive) || has(buckets_[key.high & mask_], key.tag, alive);
    }

    enum class Insertion : std::uint8_t { done, found, full };
    Insertion insert(const Key& key, std::int64_t unit, std::int64_t oldest) {
        Bucket& a = buckets_[key.low & mask_];
        Bucket& b = buckets_[key.high & mask_];
        const auto alive = first_alive(oldest);
        const Hold hold(a, b);
        if (has(a, key.tag, alive) || has(b, key.tag, alive)) return Insertion::found;
        Bucket& emptier = count(a, alive) <= count(b, alive) ? a : b;
        const auto slot = std::ranges::find_if(emptier.stamps, [&](std::uint8_t s) { return s < alive; });
        if (slot == std::end(emptier.stamps)) return Insertion::full;
        *slot = static_cast<std::uint8_t>(unit - first_ + 1);
        emptier.tags[slot - std::begin(emptier.stamps)] = key.tag;
        return Insertion::done;
    }

    // Counts an inserted one; true now and then, when it is worth looking at `alive`.
    bool counted(std::int64_t unit) { return taken_[static_cast<std::size_t>(unit - first_ + 1)].fetch_add(1, std::memory_order_relaxed) % 8 == 7; }
    std::uint64_t alive(std::int64_t oldest) const {
        std::uint64_t sum = 0;
        for (std::size_t s = first_alive(oldest); s < taken_.size(); ++s) sum += taken_[s].load(std::memory_order_relaxed);
        return sum;
    }
    bool crowded(std::int64_t oldest) const { return alive(oldest) > plan(bytes_); }
    // The first unit from `oldest` on of which it has any.
    std::optional<std::int64_t> oldest_taken(std::int64_t oldest) const {
        for (std::size_t s = first_alive(oldest); s < taken_.size(); ++s)
            if (taken_[s].load(std::memory_order_relaxed) != 0) return first_ + static_cast<std::int64_t>(s) - 1;
        return {};
    }

  private:
    Level(std::int64_t first_unit, std::size_t bytes, Bucket* buckets) : first_(first_unit), bytes_(bytes), mask_(bytes / sizeof(Bucket) - 1), buckets_(buckets) {}

    // The first stamp that is alive: 1 to units + 1. A stamp of 0 never is.
    std::uint32_t first_alive(std::int64_t oldest) const { return static_cast<std::uint32_t>(std::clamp<std::int64_t>(oldest - first_ + 1, 1, units + 1)); }
    static bool has(const Bucket& bucket, std::uint64_t tag, std::uint32_t alive) {
        for (std::size_t i = 0; i < slots; ++i)
            if (bucket.tags[i] == tag && bucket.stamps[i] >= alive) return true;
        return false;
    }
    static std::ptrdiff_t count(const Bucket& bucket, std::uint32_t alive) {
        return std::ranges::count_if(bucket.stamps, [&](std::uint8_t s) { return s >= alive; });
    }

    const std::int64_t first_;
    const std::size_t bytes_;
    const std::uint64_t mask_;
    Bucket* const buckets_;
    std::array<std::atomic<std::uint32_t>, units + 1> taken_{};  // by stamp
};

using Levels = std::vector<std::unique_ptr<Level>>;

std::int64_t divided_down(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Who only looks up and inserts takes the lock of his thread; who changes what there is takes all of them.
class Locks {
  public:
    std::mutex& mine() {
        static std::atomic<std::size_t> threads{0};
        thread_local const std::size_t own = threads.fetch_add(1, std::memory_order_relaxed);
        return each_[own % each_.size()].mutex;
    }
    void lock() {
        for (auto& each : each_) each.mutex.lock();
    }
    void unlock() {
        for (auto& each : each_) each.mutex.unlock();
    }

  private:
    struct alignas(64) Padded {
        std::mutex mutex;
    };
    std::array<Padded, 16> each_;
};

}  // namespace

struct Nonces::Table {
    Table(std::int64_t length_ms, std::size_t bound)
        : window_ms(length_ms), unit_ms(std::max(base::minute_ms, (length_ms + 59) / 60)), window((length_ms + unit_ms - 1) / unit_ms), max_bytes(std::max(bound, 2 * least_bytes)),
          first_bytes(std::min(usual_first_bytes, std::bit_floor(max_bytes / 2))) {}

    const std::int64_t window_ms, unit_ms;
    const std::int64_t window;  // units, at most 60
    const std::size_t max_bytes, first_bytes;

    Locks locks;
    std::int64_t clock = never;
    std::int64_t floor = never;  // what was signed in an earlier unit is refused
    Levels levels;               // the last one takes what is new, the others are read-only
    std::atomic<std::size_t> bytes{0};

    // The units of signed times that are told apart, both included. One unit on either side is for threads whose `now` differ a bit.
    std::int64_t earliest() const { return clock - window - 1; }
    std::int64_t latest() const { return clock + window + 1; }
    std::int64_t oldest() const { return std::max(earliest(), floor); }

    enum class Step : std::uint8_t { fresh, fresh_but_crowded, used, too_old, full, clock_moved };
    struct Attempt {
        Step step;
        const Level* level = nullptr;
    };
    Attempt attempt(const Key& key, std::int64_t signed_ms, std::int64_t now_ms);
    std::int64_t unit_of(std::int64_t ms) const { return divided_down(ms, unit_ms); }
    void follow_clock(std::int64_t now_unit);
    void make_room(const Level* seen, bool full);

  private:
    bool clock_stands(std::int64_t now_unit) const { return !levels.empty() && now_unit <= clock && now_unit >= earliest(); }
    bool adopt_level();
    bool add_level(std::size_t size, Levels& gone);
    bool forget_oldest();
    void drop(Levels& gone, const Level* kept, bool (Table::*dispensable)(const Level&) const);
    bool dead(const Level& level) const { return !level.oldest_taken(oldest()); }
    bool to_come(const Level& level) const { return level.first() > latest(); }
};

// With the lock of the thread.
Nonces::Table::Attempt Nonces::Table::attempt(const Key& key, std::int64_t signed_ms, std::int64_t now_ms) {
    if (!clock_stands(unit_of(now_ms))) return {Step::clock_moved};
    auto unit = unit_of(signed_ms);
    if (unit < floor) return {Step::too_old};
    if (signed_ms < now_ms - window_ms || signed_ms > now_ms + window_ms || unit < earliest() || unit > latest()) {
        // It would be kept as if signed at the latest. But whether it was, and was dropped at the bound, the floor cannot tell.
        if (floor > earliest()) return {Step::too_old};
        unit = latest();
    }
    for (const auto& level : levels) level->fetch(key);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i)
        if (levels[i]->has(key, oldest())) return {Step::used};
    Level& level = *levels.back();
    switch (level.insert(key, unit, oldest())) {
        case Level::Insertion::found:
            return {Step::used};
        case Level::Insertion::full:
            return {Step::full, &level};
        case Level::Insertion::done:
            break;
    }
    return {level.counted(unit) && level.crowded(oldest()) ? Step::fresh_but_crowded : Step::fresh, &level};
}

void Nonces::Table::follow_clock(std::int64_t now_unit) {
    Levels gone;  // given back after the locks: that takes milliseconds
    const std::lock_guard lock(locks);
    if (clock_stands(now_unit)) return;  // another thread did it
    clock = now_unit;
    const Level* const current = levels.empty() ? nullptr : levels.back().get();
    drop(gone, current, &Table::dead);
    auto size = first_bytes;
    if (current) {
        const bool idle = dead(*current);
        if (current->covers(earliest(), latest()) && !(idle && size < current->bytes())) return;
        while (Level::plan(size) < current->alive(oldest()) * 5 / 4) size *= 2;
        if (idle) drop(gone, nullptr, &Table::dead);
    }
    if (adopt_level()) return;
    while (!add_level(size, gone)) {
        if (size > first_bytes) {
            size /= 2;
        } else {
            if (!forget_oldest()) throw std::bad_alloc();
            drop(gone, nullptr, &Table::dead);
        }
    }
}

// `seen` was full for a nonce, or is crowded.
void Nonces::Table::make_room(const Level* seen, bool full) {
    Levels gone;
    const std::lock_guard lock(locks);
    if (levels.empty() || levels.back().get() != seen) return;  // another thread did it
    drop(gone, seen, &Table::dead);
    for (; full || seen->crowded(oldest()); full = false) {
        if (add_level(2 * seen->bytes(), gone)) return;
        forget_oldest();
        drop(gone, seen, &Table::dead);
    }
}

// After the clock was moved to and fro there may be a level for its time already.
bool Nonces::Table::adopt_level() {
    const auto fit = std::ranges::find_if(levels, [&](const auto& l) { return l->covers(earliest(), latest()) && !l->crowded(oldest()); });
    if (fit == levels.end()) return false;
    std::rotate(fit, fit + 1, levels.end());
    return true;
}

// A new level for what is new, if the bound allows.
bool Nonces::Table::add_level(std::size_t size, Levels& gone) {
    const auto room = [&] { return bytes.load(std::memory_order_relaxed) + size <= max_bytes && levels.size() < most_levels; };
    if (!room()) drop(gone, levels.empty() ? nullptr : levels.back().get(), &Table::to_come);
    if (!room()) return false;
    // It begins as many units early as it needs now: a clock that is set back a little still finds it.
    auto level = Level::make(earliest() - (latest() - earliest()), size);
    if (!level) return false;
    levels.push_back(std::move(level));
    bytes.fetch_add(size, std::memory_order_relaxed);
    return true;
}

// Raises the floor over the oldest unit of which there are nonces. False: there are none.
bool Nonces::Table::forget_oldest() {
    std::optional<std::int64_t> unit;
    for (const auto& level : levels)
        if (const auto taken = level->oldest_taken(oldest())) unit = std::min(*taken, unit.value_or(*taken));
    if (!unit) return false;
    floor = *unit + 1;
    return true;
}

void Nonces::Table::drop(Levels& gone, const Level* kept, bool (Table::*dispensable)(const Level&) const) {
    std::erase_if(levels, [&](auto& level) {
        if (level.get() == kept || !(this->*dispensable)(*level)) return false;
        bytes.fetch_sub(level->bytes(), std::memory_order_relaxed);
        gone.push_back(std::move(level));
        return true;
    });
}

Nonces::Nonces(std::int64_t window_ms, std::size_t max_bytes) : table_(std::make_unique<Table>(window_ms, max_bytes)) {}
Nonces::~Nonces() = default;

Nonces::Verdict Nonces::take(std::string_view hash, std::int64_t signed_ms, std::int64_t now_ms) {
    const Key key(hash);
    for (;;) {
        Table::Attempt attempt;
        {
            const std::lock_guard lock(table_->locks.mine());
            attempt = table_->attempt(key, signed_ms, now_ms);
        }
        switch (attempt.step) {
            case Table::Step::fresh:
                return Verdict::fresh;
            case Table::Step::used:
                return Verdict::used;
            case Table::Step::too_old:
                return Verdict::too_old;
            case Table::Step::fresh_but_crowded:
                table_->make_room(attempt.level, false);
                return Verdict::fresh;
            case Table::Step::full:
                table_->make_room(attempt.level, true);
                break;
            case Table::Step::clock_moved:
                table_->follow_clock(table_->unit_of(now_ms));
                break;
        }
    }
}

void Nonces::clear() {
    Levels gone;
    const std::lock_guard lock(table_->locks);
    gone.swap(table_->levels);
    table_->bytes = 0;
    table_->clock = table_->floor = never;
}

std::size_t Nonces::bytes() const { return table_->bytes.load(std::memory_order_relaxed); }

}  // namespace openrd::pipeline
