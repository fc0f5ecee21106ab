#pragma once
// What a parameter's value must look like. Data, not code, wherever data can say it: the docs, the console's form and the
// contract test read it too. `holds` is for the rest.
#include "api/fault.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string_view>

namespace openrd::api {

// Characters allowed in a value. Non-ASCII letters are one switch, because the vendor says "Chinese characters" and no more.
class Alphabet {
  public:
    constexpr Alphabet() = default;
    constexpr Alphabet(const char* spelled) : given_(true) {
        const std::string_view text(spelled);
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (i + 2 < text.size() && text[i + 1] == '-') {
                for (char c = text[i]; c <= text[i + 2]; ++c) add(c);
                i += 2;
            } else {
                add(text[i]);
            }
        }
    }
    constexpr Alphabet and_beyond_ascii() const {
        Alphabet wider = *this;
        wider.beyond_ascii_ = true;
        return wider;
    }
    constexpr bool given() const { return given_; }
    constexpr bool beyond_ascii() const { return beyond_ascii_; }  // then without what is invisible: base::has_invisible
    constexpr bool has(char c) const {
        const auto u = static_cast<unsigned char>(c);
        return u < 128 ? ((bits_[u / 64] >> (u % 64)) & 1u) != 0 : beyond_ascii_;
    }

  private:
    constexpr void add(char c) { bits_[static_cast<unsigned char>(c) / 64] |= std::uint64_t{1} << (static_cast<unsigned char>(c) % 64); }
    std::uint64_t bits_[2] = {};
    bool given_ = false;
    bool beyond_ascii_ = false;
};

struct Length {
    std::uint32_t least = 0;
    std::uint32_t most = std::numeric_limits<std::uint32_t>::max();  // in characters, not bytes
};

struct Range {
    std::int64_t least = std::numeric_limits<std::int64_t>::min();
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
    bool clamps = false;  // PageSize=500 means 100; the vendor has no code for it
};

// A word of .one_of. Its constructor is consteval because GCC 12 refuses a constexpr initializer_list whose elements need an
// ordinary constexpr constructor ("modification of '<temporary>' is not a constant expression").
struct Word {
    std::string_view text;
    consteval Word(const char* spelled) : text(spelled) {}
};

struct Rule {
    std::string_view says;  // one phrase for the docs: "16 digits"
    Length length{};
    Alphabet alphabet{};
    std::initializer_list<Word> one_of{};
    Range range{};
    bool (*holds)(std::string_view) = nullptr;
    const FaultKind* refused_as = nullptr;       // otherwise Invalid<Name>, which is what the gateway says
    const FaultKind* wrong_length_as = nullptr;  // otherwise refused_as
    const FaultKind* empty_as = nullptr;         // a required value given but empty; otherwise Missing<Name>
};
inline constexpr Rule any_text{.says = "any text"};

}  // namespace openrd::api
