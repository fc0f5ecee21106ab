#include "wire/json_flatten.hpp"

#include "base/text.hpp"
#include "wire/json_walk.hpp"

#include <charconv>
#include <optional>

namespace openrd::wire {
namespace {

class Flattener final : public JsonVisitor {
  public:
    Flattener(JsonTop top, std::string_view under, const base::ParameterLimits& limits, std::vector<Parameters::Entry>& into)
        : top_(top), path_(under), limits_(limits), into_(into) {}

    bool begin_object() override { return begin(false); }
    bool end_object() override { return end(); }
    bool begin_array() override { return begin(true); }
    bool end_array() override { return end(); }

    bool key(std::string_view name) override {
        // Members that hold nothing but other members, or null, are no parameters, but must be remembered too.
        if (members_.size() / 2 >= limits_.count) return refuse(ParameterTrouble::too_many, name);
        path_.resize(levels_.back().base);
        if (path_.size() + name.size() >= json_name_bytes) return refuse(ParameterTrouble::bad_body, name);
        if (levels_.size() > 1) path_ += '.';
        path_ += name;
        if (!base::is_clean_utf8(name)) return refuse(ParameterTrouble::not_text, path_);
        members_.push_back(path_);
        return true;
    }

    bool text(std::string_view value) override { return element() && add(value); }
    bool literal(std::string_view value) override { return element() && add(value); }
    bool null() override { return element(); }

    // After the whole text: a name that an object had twice, or that two ways lead to ("a.b" and {"a":{"b":..}}).
    bool members_are_distinct() {
        std::ranges::sort(members_);
        const auto twice = std::ranges::adjacent_find(members_);
        return twice == members_.end() || refuse(ParameterTrouble::repeated, *twice);
    }

    ParameterRefusal refusal() const { return refusal_ ? *refusal_ : ParameterRefusal{ParameterTrouble::bad_body, {}}; }

  private:
    struct Level {
        bool array;
        std::size_t base;  // the length of the path without this level's own part
        std::uint32_t index;
    };

    bool begin(bool array) {
        if (levels_.empty() ? array != (top_ == JsonTop::array) : !element()) return false;
        levels_.push_back({array, path_.size(), 0});
        return true;
    }

    bool end() {
        levels_.pop_back();
        return true;
    }

    // A value begins: in an array it is the next number. Outside of everything only the one container will do.
    bool element() {
        if (levels_.empty()) return false;
        Level& level = levels_.back();
        if (!level.array) return true;
        path_.resize(level.base);
        if (level.index >= limits_.list_index) return refuse(ParameterTrouble::index_too_large, path_);
        char digits[16];
        path_ += '.';
        path_.append(digits, std::to_chars(digits, digits + sizeof digits, ++level.index).ptr);
        return path_.size() <= json_name_bytes || refuse(ParameterTrouble::bad_body, path_);
    }

    bool add(std::string_view value) {
        if (into_.size() >= limits_.count) return refuse(ParameterTrouble::too_many, path_);
        if (index_too_large(path_, limits_.list_index)) return refuse(ParameterTrouble::index_too_large, path_);
        if (!base::is_clean_utf8(value)) return refuse(ParameterTrouble::not_text, path_);
        into_.emplace_back(path_, value);
        return true;
    }

    bool refuse(ParameterTrouble what, std::string_view name) {
        refusal_ = ParameterRefusal{what, printable(name)};
        return false;
    }

    JsonTop top_;
    std::string path_;
    const base::ParameterLimits& limits_;
    std::vector<Parameters::Entry>& into_;
    std::vector<Level> levels_;
    std::vector<std::string> members_;
    std::optional<ParameterRefusal> refusal_;
};

}  // namespace

tl::expected<void, ParameterRefusal> flatten_json(std::string_view json, JsonTop top, std::string_view under, const base::ParameterLimits& limits,
                                                  std::vector<Parameters::Entry>& into) {
    const std::size_t before = into.size();
    Flattener flattener(top, under, limits, into);
    if (walk_json(json, json_depth, flattener) && flattener.members_are_distinct()) return {};
    into.resize(before);
    return tl::unexpected(flattener.refusal());
}

bool index_too_large(std::string_view name, std::uint32_t limit) {
    for (std::size_t dot = name.find('.'); dot != name.npos;) {
        const std::size_t next = name.find('.', dot + 1);
        const std::string_view part = name.substr(dot + 1, next == name.npos ? name.npos : next - dot - 1);
        if (!part.empty() && part.find_first_not_of("0123456789") == part.npos) {
            std::uint32_t index = 0;
            const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
            if (error != std::errc() || index > limit) return true;
        }
        dot = next;
    }
    return false;
}

std::string printable(std::string_view name) {
    std::string out(name.substr(0, 64));
    std::ranges::replace_if(
        out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

}  // namespace openrd::wire
