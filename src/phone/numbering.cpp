#include "phone/numbering.hpp"

#include "base/embedded.hpp"

#include <re2/re2.h>
#include <sodium.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace openrd::phone {
namespace {

namespace json = boost::json;

// Universal toll-free, shared cost, satellite, international networks, premium rate: some of them classify as mobile and are
// expensive, none of them is a person's phone (verification.md 2.1).
constexpr std::array<std::string_view, 9> of_no_country{"800", "808", "870", "878", "881", "882", "883", "888", "979"};

// What one calling code's compiled patterns may take, caches included; RE2's own limit is 8 MiB. It is a bound, not an allotment:
// all 206 codes in use take 2 MiB together. With half of it calling code 1 falls back to a slower automaton (0.7 us instead of 0.16).
constexpr std::int64_t pattern_memory_bytes = 1024 * 1024;

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error("not a numbering table: " + why); }

bool is_calling_code(std::string_view code) {
    return !code.empty() && code.size() <= 3 && code.front() != '0' && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

std::string text_of(const json::object& table, std::string_view name) {
    const auto* const value = table.if_contains(name);
    if (value == nullptr || !value->is_string() || value->get_string().empty()) refuse("it has no " + std::string(name));
    return std::string(value->get_string());
}

// Some patterns in one, compiled once, by whoever comes first; afterwards std::call_once is a load.
class Union {
  public:
    explicit Union(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

    const RE2& compiled() const {
        std::call_once(once_, [this] {
            std::string any;
            for (const auto& pattern : patterns_) any += (any.empty() ? "(?:" : "|(?:") + pattern + ")";
            RE2::Options options(RE2::Quiet);
            options.set_max_mem(pattern_memory_bytes);
            options.set_never_capture(true);
            compiled_ = std::make_unique<const RE2>(any, options);
        });
        return *compiled_;
    }
    // Of nothing or of what could not be compiled: false.
    bool matches(std::string_view text) const { return !empty() && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled()); }
    bool empty() const { return patterns_.empty(); }
    bool usable() const { return empty() || compiled().ok(); }

  private:
    std::vector<std::string> patterns_;
    mutable std::once_flag once_;
    mutable std::unique_ptr<const RE2> compiled_;
};

struct Country {
    Country(std::vector<std::string> of_mobiles, std::vector<std::string> of_others, std::uint32_t of_lengths)
        : mobile(std::move(of_mobiles)), other(std::move(of_others)), lengths(of_lengths) {}

    // As long as a mobile number, and nothing that the table knows. What is a mobile number behind one to three digits may be one
    // written with a trunk prefix, and would be its second spelling.
    bool range_unknown(std::string_view national) const {
        if ((lengths >> national.size() & 1U) == 0 || national.front() == '0' || other.matches(national)) return false;
        for (std::size_t digits = 1; digits <= 3; ++digits)
            if (mobile.matches(national.substr(digits))) return false;
        return true;
    }

    Union mobile, other;
    std::uint32_t lengths;  // bit n: a mobile number may have n digits
};

// The texts of a list, which stands in `lists` under that code; none where there is none.
std::vector<std::string> patterns_of(const json::value* lists, std::string_view code) {
    const auto* const list = lists == nullptr ? nullptr : lists->as_object().if_contains(code);
    if (list == nullptr) return {};
    if (!list->is_array()) refuse("the patterns of " + std::string(code) + " are no list");
    std::vector<std::string> patterns;
    for (const auto& pattern : list->get_array()) {
        // An empty pattern would match nothing, or in a union everything: the generator writes none.
        if (!pattern.is_string() || pattern.get_string().empty()) refuse("a pattern of " + std::string(code) + " is no text");
        patterns.emplace_back(pattern.get_string());
    }
    return patterns;
}

std::uint32_t lengths_of(const json::value* lists, std::string_view code) {
    const auto* const list = lists == nullptr ? nullptr : lists->as_object().if_contains(code);
    if (list == nullptr) return 0;
    if (!list->is_array()) refuse("the lengths of " + std::string(code) + " are no list");
    std::uint32_t lengths = 0;
    for (const auto& length : list->get_array()) {
        if (!length.is_int64() || length.get_int64() < 1 || length.get_int64() > 15) refuse("a length of " + std::string(code) + " is no number of digits");
        lengths |= 1U << static_cast<unsigned>(length.get_int64());
    }
    return lengths;
}

// A part of the table that older ones do not have.
const json::value* part_of(const json::object& table, std::string_view name) {
    const auto* const part = table.if_contains(name);
    if (part != nullptr && !part->is_object()) refuse("its " + std::string(name) + " is no object");
    return part;
}

}  // namespace

struct Numbering::Table {
    std::string source, released;
    std::map<std::string, Country, std::less<>> countries;
};

Numbering::Numbering(std::shared_ptr<const Table> table) : tables_{std::move(table)}, table_(tables_.back().get()) {}
Numbering::Numbering(const Numbering& other) : Numbering(other.latest()) {}
Numbering::~Numbering() = default;

std::shared_ptr<const Numbering::Table> Numbering::latest() const {
    const std::lock_guard lock(mutex_);
    return tables_.back();
}

void Numbering::take(const Numbering& newer) {
    auto table = newer.latest();
    const std::lock_guard lock(mutex_);
    tables_.push_back(std::move(table));
    table_.store(tables_.back().get(), std::memory_order_release);
}

std::unique_ptr<Numbering::Table> Numbering::read(std::string_view text) {
    boost::system::error_code error;
    const auto document = json::parse(json::string_view(text.data(), text.size()), error);
    if (error) refuse(error.message());
    if (!document.is_object()) refuse("it is no JSON object");
    const auto& object = document.get_object();
    auto table = std::make_unique<Table>();
    table->source = text_of(object, "source") + " " + text_of(object, "version");
    table->released = text_of(object, "released");
    const auto* const mobile = object.if_contains("mobile");
    if (mobile == nullptr || !mobile->is_object() || mobile->get_object().empty()) refuse("it has no mobile numbers");
    const auto* const others = part_of(object, "other");
    const auto* const lengths = part_of(object, "lengths");
    for (const auto& [name, list] : mobile->get_object()) {
        const std::string code(name);
        if (!is_calling_code(code)) refuse("'" + code + "' is no calling code");
        table->countries.try_emplace(code, patterns_of(mobile, code), patterns_of(others, code), lengths_of(lengths, code));
    }
    return table;
}

const Numbering& Numbering::built_in() {
    static const Numbering numbering(read(embedded::numbering().front().bytes));
    return numbering;
}

Numbering Numbering::parse(std::string_view json) {
    auto table = read(json);
    for (const auto& [code, country] : table->countries)
        for (const auto* patterns : {&country.mobile, &country.other})
            if (!patterns->usable()) refuse("a pattern of " + code + " cannot be used: " + patterns->compiled().error());
    return Numbering(std::move(table));
}

Verdict Numbering::check(const MobileNumber& number) const {
    if (std::ranges::find(of_no_country, number.calling_code()) != of_no_country.end()) return Verdict::not_mobile;
    const Table& table = *table_.load(std::memory_order_acquire);
    const auto country = table.countries.find(number.calling_code());
    if (country == table.countries.end()) return Verdict::unknown_country;
    const auto national = number.reveal_national();
    if (country->second.mobile.matches(national)) return Verdict::mobile;
    return country->second.range_unknown(national) ? Verdict::unknown_range : Verdict::not_mobile;
}

std::optional<MobileNumber> Numbering::from_e164(std::string_view text) const {
    if (text.size() < 2 || text.size() > 16 || text.front() != '+') return {};
    const auto digits = text.substr(1);
    // No calling code begins another, so at most one length fits.
    for (std::size_t length = 1; length <= 3 && length < digits.size(); ++length) {
        const auto code = digits.substr(0, length);
        if (!table_.load(std::memory_order_acquire)->countries.contains(code) && std::ranges::find(of_no_country, code) == of_no_country.end()) continue;
        std::array<char, 17> api_form{};
        auto end = std::ranges::copy(code, api_form.begin()).out;
        *end++ = '-';
        end = std::ranges::copy(digits.substr(length), end).out;
        auto number = MobileNumber::parse({api_form.data(), static_cast<std::size_t>(end - api_form.begin())});
        sodium_memzero(api_form.data(), api_form.size());
        return number;
    }
    return {};
}

const std::string& Numbering::source() const { return table_.load(std::memory_order_acquire)->source; }
const std::string& Numbering::released() const { return table_.load(std::memory_order_acquire)->released; }
std::size_t Numbering::calling_codes() const { return table_.load(std::memory_order_acquire)->countries.size(); }

}  // namespace openrd::phone
