#pragma once
// Text that must not be seen: a secret key, a code, a token. Its memory is wiped when it goes, it cannot be printed,
// and it cannot be compared with == (which would tell by its timing how much of a guess was right).
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace openrd::base {

// True when both are the same; the time depends on their lengths only.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

// Overwrites the bytes so that the compiler cannot leave it out.
void wipe(std::string& text) noexcept;

class Secret {
  public:
    static constexpr bool wire_secret = true;  // api/type.hpp: keeps it out of logs and of the audit log

    Secret() = default;
    explicit Secret(std::string text) noexcept : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { wipe(other.text_); }
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(text_); }

    // How a parameter becomes a Secret: any text will do, so that malformed and wrong look alike.
    static std::optional<Secret> parse(std::string_view text) { return Secret(std::string(text)); }

    // The text itself. Named so that each use can be found.
    std::string_view reveal() const { return text_; }
    // For the wire only: an answer may carry a secret (AssumeRole's).
    std::string_view text() const { return text_; }

    bool empty() const { return text_.empty(); }
    [[nodiscard]] bool same_as(std::string_view other) const { return constant_time_equal(text_, other); }

    friend bool operator==(const Secret&, const Secret&) = delete;
    friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

  private:
    std::string text_;
};

}  // namespace openrd::base
