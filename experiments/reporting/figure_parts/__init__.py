"""What figures share: theme and colors, layout, heatmap cells, sheets of images, panels."""
