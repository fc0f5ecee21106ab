#pragma once
// How the wire sees a C++ type. One constant per type, shared by all rooms; a type without one cannot be a member of a
// Request or an Answer. A domain type joins by offering `static std::optional<T> parse(std::string_view)` and, if it may be
// answered, `text()`; an enum by an overload of `wire_names(E)` beside it; anything with `wire_secret` never reaches a log.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace openrd::api {

// A JSON value of free form, already as text (ActionTrail's events).
struct Json {
    std::string text;
};

// The names of an enum's values: constexpr auto wire_names(Direction) { return api::names<Direction>({{Direction::forward, "FORWARD"}}); }
template <class E> struct NameOf {
    E value;
    std::string_view name;
};
template <class E, std::size_t N> constexpr std::array<NameOf<E>, N> names(const NameOf<E> (&list)[N]) { return std::to_array(list); }

enum class Form : std::uint8_t { text, int32, int64, boolean, json, object, list };

struct Elements {
    const void* first;
    std::size_t count, stride;
};

struct Type {
    Form form;
    bool secret = false;    // never in a log or in the audit log
    bool personal = false;  // a datum of a person: in the audit log only under that person's key
    bool optional = false;
    const Type* inside = nullptr;                        // of an optional or a list
    bool (*read)(std::string_view, void*) = nullptr;     // from the wire; false: malformed
    void (*write)(const void*, std::string&) = nullptr;  // appends the text; null for std::string itself
    const void* (*held)(const void*) = nullptr;          // optional: the value, or null
    void* (*make)(void*) = nullptr;                      // optional: engage; list: append one
    Elements (*elements)(const void*) = nullptr;         // list
};

template <class T> struct WireType;  // no constant for T: not a type of the wire
template <class T> concept OfTheWire = requires { WireType<T>::type.form; };

template <class T> concept Parsed = requires(std::string_view s) {
    { T::parse(s) } -> std::same_as<std::optional<T>>;
};
template <class T> concept Texted = requires(const T& t) {
    { t.text() } -> std::convertible_to<std::string_view>;
};
template <class T> concept Secretive = requires { requires T::wire_secret; };
template <class T> concept Personal = requires { requires T::wire_personal; };
template <class E> concept Named = std::is_enum_v<E> && requires(E e) { wire_names(e).begin(); };

template <> struct WireType<std::string> {
    static bool read(std::string_view s, void* to) { return static_cast<std::string*>(to)->assign(s), true; }
    static constexpr Type type{.form = Form::text, .read = read};
};
template <> struct WireType<Json> {
    static constexpr Type type{.form = Form::json};
};
template <> struct WireType<bool> {
    static bool read(std::string_view s, void* to) {
        const auto is = [s](std::string_view word) { return std::ranges::equal(s, word, [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; }); };
        return (*static_cast<bool*>(to) = is("true")) || is("false");
    }
    static constexpr Type type{.form = Form::boolean, .read = read};
};
template <class T> requires(std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>)
struct WireType<T> {
    static bool read(std::string_view s, void* to) {
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), *static_cast<T*>(to));
        return error == std::errc{} && end == s.data() + s.size();
    }
    static constexpr Type type{.form = sizeof(T) == 4 ? Form::int32 : Form::int64, .read = read};
};
template <Parsed T> struct WireType<T> {
    static bool read(std::string_view s, void* to) {
        auto parsed = T::parse(s);
        if (!parsed) return false;
        *static_cast<T*>(to) = *std::move(parsed);
        return true;
    }
    static void write(const void* from, std::string& out) {
        if constexpr (Texted<T>) out += static_cast<const T*>(from)->text();
    }
    static constexpr Type type{.form = Form::text, .secret = Secretive<T>, .personal = Personal<T>, .read = read, .write = write};
};
template <Named E> struct WireType<E> {
    static bool read(std::string_view s, void* to) {
        for (const auto& [value, name] : wire_names(E{}))
            if (name == s) return *static_cast<E*>(to) = value, true;
        return false;
    }
    static void write(const void* from, std::string& out) {
        for (const auto& [value, name] : wire_names(E{}))
            if (value == *static_cast<const E*>(from)) out += name;
    }
    static constexpr Type type{.form = Form::text, .read = read, .write = write};
};
template <class T> requires(std::is_class_v<T> && std::is_aggregate_v<T> && !Parsed<T>)
struct WireType<T> {
    static constexpr Type type{.form = Form::object};
};
template <class T> struct WireType<std::optional<T>> {
    static const void* held(const void* p) {
        const auto& o = *static_cast<const std::optional<T>*>(p);
        return o ? &*o : nullptr;
    }
    static void* make(void* p) { return &static_cast<std::optional<T>*>(p)->emplace(); }
    static constexpr Type type{.form = WireType<T>::type.form,
                               .secret = WireType<T>::type.secret,
                               .personal = WireType<T>::type.personal,
                               .optional = true,
                               .inside = &WireType<T>::type,
                               .held = held,
                               .make = make};
};
template <class T> struct WireType<std::vector<T>> {
    static_assert(!std::same_as<T, bool>, "std::vector<bool> has no elements to point at");
    static Elements elements(const void* p) {
        const auto& v = *static_cast<const std::vector<T>*>(p);
        return {v.data(), v.size(), sizeof(T)};
    }
    static void* make(void* p) { return &static_cast<std::vector<T>*>(p)->emplace_back(); }
    static constexpr Type type{.form = Form::list, .secret = WireType<T>::type.secret, .inside = &WireType<T>::type, .make = make, .elements = elements};
};

// Unwraps the optional and the list around the struct that a list of fields describes.
template <class T> struct InsideOf {
    using type = T;
};
template <class T> struct InsideOf<std::optional<T>> : InsideOf<T> {};
template <class T> struct InsideOf<std::vector<T>> : InsideOf<T> {};
template <class T> using Inside = typename InsideOf<T>::type;

}  // namespace openrd::api
