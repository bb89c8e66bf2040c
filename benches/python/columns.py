"""The 61 columns of docs/spec.md section 5."""

FEATURES = """
volume_ratio_30s volume_slope_30s volume_slope_5s volume_exhaustion vwap distance_from_vwap_pct vwap_slope
distance_from_rth_high distance_from_rth_low short_range_high short_range_low short_range_size position_in_short_range
medium_range_high medium_range_low medium_range_size range_compression_ratio short_range_retouches medium_range_retouches
return_30s return_60s return_300s momentum_acceleration momentum_consistency atr_30s atr_300s volatility_regime
volatility_acceleration volatility_breakout atr_percentile bar_range relative_bar_size uptick_pct_30s uptick_pct_60s
bar_flow_consistency directional_strength is_eth is_pre_open is_rth_open is_morning is_lunch is_afternoon is_rth_close
""".split()
MODES = [f"{volatility}_vol_{side}" for side in ("long", "short") for volatility in ("low", "normal", "high")]
LABELS = [f"{kind}_{mode}" for mode in MODES for kind in ("label", "weight")]
COLUMNS = ["timestamp", "open", "high", "low", "close", "volume", *LABELS, *FEATURES]
